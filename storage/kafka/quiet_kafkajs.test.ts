import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { quietKafkajs } from './quiet_kafkajs.ts';

test('a negative timeout is not warned about, anything else is', async () => {
  quietKafkajs();
  const warned = once(process, 'warning');
  setTimeout(() => undefined, -5);
  process.emitWarning('something else', 'OtherWarning');
  const [warning] = await warned;
  assert.equal((warning as Error).name, 'OtherWarning');
});
