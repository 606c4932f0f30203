import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClickHouseAccess, serverAccess } from './client.ts';
import { makeSelect, SELECT_LIMITS, SelectError, type SelectFailure } from './select.ts';

// A server that answers as ClickHouse does when things go wrong, which an engine does not on demand.
let server: Server;
let access: ClickHouseAccess;
let answer: { status: number; code?: string; body: string | Buffer } | 'never';
let asked: URL[] = [];
let closed = 0;

before(async () => {
  server = createServer((request, response) => {
    asked.push(new URL(request.url!, 'http://localhost'));
    response.on('close', () => {
      if (!response.writableFinished) closed++;
    });
    if (answer === 'never') return;
    const headers = answer.code === undefined ? {} : { 'X-ClickHouse-Exception-Code': answer.code };
    response.writeHead(answer.status, headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const address = { url, user: 'u', password: 'p' };
  access = serverAccess({ ingest: address, query: address, database: 'db' });
});

after(async () => {
  await access.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const STATEMENT = { sql: 'SELECT {a:String}', params: { a: "it's", b: [1n, 2n] } };

async function failureOf(work: Promise<unknown>): Promise<SelectError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof SelectError, String(error));
    return error;
  }
  return assert.fail('it did not fail');
}

test('values go as parameters, and the limits go along', async () => {
  answer = { status: 200, body: '' };
  asked = [];
  assert.deepEqual([...(await makeSelect(access)(STATEMENT))], []);
  const params = asked[0]!.searchParams;
  assert.equal(params.get('param_a'), "it\\'s");
  assert.equal(params.get('param_b'), '[1,2]');
  assert.equal(params.get('param_db'), 'db');
  assert.equal(params.get('max_execution_time'), '20');
  assert.equal(params.get('max_result_bytes'), String(256 * 1024 * 1024));
  assert.equal(params.get('max_rows_to_read'), null, 'the embedded engine would refuse it');
});

test("the store's errors become few, and its words never reach the caller", async () => {
  const cases: [string, SelectFailure, boolean][] = [
    ['158', 'too_much', false],
    ['159', 'timeout', false],
    ['202', 'busy', true],
    ['241', 'too_much', false],
    ['396', 'too_much', false],
    ['394', 'timeout', false],
    ['62', 'broken', false],
  ];
  for (const [code, failure, retryable] of cases) {
    const body = `Code: ${code}. DB::Exception: secret 'value' of a span. (SOME_ERROR)`;
    answer = { status: 500, code, body };
    const error = await failureOf(makeSelect(access)(STATEMENT));
    assert.equal(error.failure, failure, code);
    assert.equal(error.retryable, retryable, code);
    assert.doesNotMatch(error.message, /secret|Exception/);
  }
});

test('an answer that cannot be read is said to be that', async () => {
  answer = { status: 200, body: Buffer.from([1, 1, 1]) };
  const blocks = await makeSelect(access)(STATEMENT);
  assert.throws(
    () => [...blocks],
    (error: unknown) => error instanceof SelectError && error.failure === 'broken',
  );
});

test('an answer over the limit is given up while it comes', async () => {
  answer = { status: 200, body: Buffer.alloc(1_000_000) };
  const select = makeSelect(access, { ...SELECT_LIMITS, resultBytesMax: 1000 });
  assert.equal((await failureOf(select(STATEMENT))).failure, 'too_much');
});

test('a store that is not there is worth another try', async () => {
  const address = { url: 'http://127.0.0.1:9', user: '', password: '' };
  const gone = serverAccess({ ingest: address, query: address, database: 'db' });
  const error = await failureOf(makeSelect(gone)(STATEMENT));
  await gone.close();
  assert.equal(error.failure, 'unavailable');
  assert.equal(error.retryable, true);
});

test('a caller who gives up takes the statement along', async () => {
  answer = 'never';
  closed = 0;
  const controller = new AbortController();
  const asking = failureOf(makeSelect(access)(STATEMENT, controller.signal));
  await sleep(50);
  controller.abort();
  assert.equal((await asking).failure, 'cancelled');
  for (let i = 0; i < 100 && closed === 0; i++) await sleep(10);
  assert.equal(closed, 1, 'the connection was closed, which ends the statement in the store');
});
