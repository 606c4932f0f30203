import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QUERY_SECONDS_MAX } from './limits.ts';
import { checkSettings, readSettings } from './settings.ts';

const FORCED = readSettings(1024 ** 3);
const check = (settings: Record<string, string>, role: 'query' | 'ingest' = 'query') =>
  checkSettings(role, new Map(Object.entries(settings)), FORCED);

test('a reader may lower its limits', () => {
  const settings = check({ max_execution_time: '2.5', max_result_rows: '10' });
  assert.deepEqual(
    [...settings],
    [
      ['max_execution_time', '2.5'],
      ['max_result_rows', '10'],
    ],
  );
});

for (const value of ['0', String(QUERY_SECONDS_MAX + 1), '-1', '1e9', '', 'x', ' 1', '0x1']) {
  test(`a reader may not set its time to ${JSON.stringify(value)}`, () => {
    assert.throws(() => check({ max_execution_time: value }), { code: 452 });
  });
}

for (const name of ['readonly', 'allow_ddl', 'log_comment', 'result_overflow_mode', 'param_x']) {
  test(`a reader may not set ${name}`, () => {
    assert.throws(() => check({ [name]: '2' }), { code: 452 });
  });
}

test('a reader may ask for what is forced anyway', () => {
  assert.equal(check({ readonly: '1', max_execution_time: String(QUERY_SECONDS_MAX) }).size, 0);
});

test('a reader may say how the answer is written', () => {
  assert.equal(check({ output_format_json_quote_64bit_integers: '1' }).size, 1);
});

test('settings of the exchange itself are left out', () => {
  assert.equal(check({ wait_end_of_query: '1', send_progress_in_http_headers: '1' }).size, 0);
});

test('a setting’s name is a plain word, also for the writer', () => {
  for (const name of ['a b', 'a=1', "a'", 'A', '', 'a'.repeat(200)]) {
    assert.throws(() => check({ [name]: '1' }, 'ingest'), { code: 115 });
  }
});

test('the order of settings in the URL does not make another session', () => {
  const one = check({ max_threads: '1', final: '1' });
  const other = check({ final: '1', max_threads: '1' });
  assert.deepEqual([...one], [...other]);
});

test('readonly is set last, since nothing can be set after it', () => {
  assert.equal([...FORCED.keys()].at(-1), 'readonly');
});

test('what the query service asks of a server does not lift what is forced here', () => {
  const asked = { max_memory_usage: String(4 * 1024 ** 3), max_rows_to_read: '10000000000' };
  assert.equal(check(asked).size, 0);
  assert.equal(check({ max_memory_usage: '1000000' }).size, 1, 'less is heeded');
  assert.throws(() => check({ max_memory_usage: '0' }), { code: 452 }, '0 would be no limit');
  assert.throws(() => check({ max_rows_to_read: '0' }), { code: 452 });
});
