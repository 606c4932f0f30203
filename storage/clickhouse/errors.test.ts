import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClickHouseError } from '@clickhouse/client';
import { StoreError } from '../span_store.ts';
import { toStoreError } from './errors.ts';

const clickHouse = (code: string, type: string) =>
  toStoreError(new ClickHouseError({ code, type, message: 'value "secret" of a span' }), 'insert');

for (const [code, type] of [
  ['159', 'TIMEOUT_EXCEEDED'],
  ['202', 'TOO_MANY_SIMULTANEOUS_QUERIES'],
  ['241', 'MEMORY_LIMIT_EXCEEDED'],
  ['243', 'NOT_ENOUGH_SPACE'],
  ['252', 'TOO_MANY_PARTS'],
  ['242', 'TABLE_IS_READ_ONLY'],
  ['319', 'UNKNOWN_STATUS_OF_INSERT'],
  ['60', 'UNKNOWN_TABLE'],
  ['516', 'AUTHENTICATION_FAILED'],
  ['99999', 'OF_A_LATER_VERSION'],
] as const) {
  test(`${type} may pass, so the block is sent again`, () => {
    assert.equal(clickHouse(code, type).retryable, true);
  });
}

for (const [code, type] of [
  ['16', 'NO_SUCH_COLUMN_IN_TABLE'],
  ['33', 'CANNOT_READ_ALL_DATA'],
  ['53', 'TYPE_MISMATCH'],
  ['117', 'INCORRECT_DATA'],
] as const) {
  test(`${type} does not pass by itself`, () => {
    assert.equal(clickHouse(code, type).retryable, false);
  });
}

test('a broken connection is retryable and named by its code', () => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const error = toStoreError(reset, 'insert a block of 5 spans');
  assert.equal(error.retryable, true);
  assert.match(error.message, /insert a block of 5 spans: ECONNRESET; try again/);
});

test('a message holds no data, but the cause is kept', () => {
  const error = clickHouse('53', 'TYPE_MISMATCH');
  assert.ok(!error.message.includes('secret'));
  assert.ok(error.cause instanceof ClickHouseError);
});

test('a StoreError stays what it is', () => {
  const error = new StoreError('stopped', false);
  assert.equal(toStoreError(error, 'insert'), error);
});
