import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dropsIn } from './drops.ts';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  412: 0100007F:1AAF 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 34567 2 0000000000000000 17
  413: 00000000:1AB0 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 34568 2 0000000000000000 4
  414: 0200007F:1AAF 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 34569 2 0000000000000000 3
`;

test('drops are those of all sockets on the port', () => {
  assert.equal(dropsIn(TABLE, 6831), 20);
  assert.equal(dropsIn(TABLE, 6832), 4);
  assert.equal(dropsIn(TABLE, 6833), 0);
  assert.equal(dropsIn('', 6831), 0);
});
