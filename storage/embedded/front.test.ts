import assert from 'node:assert/strict';
import { once } from 'node:events';
import { access, readdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { send, startTestEngine, type TestEngine } from './testing.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(() => engine[Symbol.asyncDispose]());

const query = (sql: string, parameters: Record<string, string> = {}) =>
  send(engine.embedded, 'query', sql, parameters);
const ingest = (sql: string | Uint8Array<ArrayBuffer>, parameters: Record<string, string> = {}) =>
  send(engine.embedded, 'ingest', sql, parameters);

const SLOW = 'SELECT count() FROM numbers(100000000000) WHERE number * number % 7 = 3';

test('the stock client pings, reads with parameters and sees typed errors', async () => {
  const client = await engine.embedded.access.query();
  assert.deepEqual(await client.ping(), { success: true });
  assert.deepEqual(await client.ping({ select: true }), { success: true });
  const values = { s: "it's\t\\ \n; ü", a: ["q'", '\\', ']'], n: 18446744073709551615n, b: true };
  const result = await client.query({
    query: 'SELECT {s:String} AS s, {a:Array(String)} AS a, {n:UInt64} = 18446744073709551615 AS n',
    query_params: values,
    format: 'JSONEachRow',
  });
  assert.deepEqual(await result.json(), [{ s: values.s, a: values.a, n: 1 }]);
  await assert.rejects(client.query({ query: 'SELECT nope' }), {
    name: 'Error',
    code: '47',
    type: 'UNKNOWN_IDENTIFIER',
  });
});

test('the stock client inserts rows, gzipped, and reads them back', async () => {
  const client = createClient({
    url: await engine.embedded.url(),
    username: 'ingest',
    password: engine.embedded.credentials('ingest').password,
    database: 'spanhouse',
    compression: { request: true, response: true },
  });
  await client.command({
    query:
      'CREATE TABLE pairs (a UInt32, b String DEFAULT toString(a)) ENGINE = MergeTree ORDER BY a',
  });
  const values = Array.from({ length: 5000 }, (_, a) => ({ a, b: `row\n${a}` }));
  await client.insert({ table: 'pairs', values, format: 'JSONEachRow' });
  await client.insert({ table: 'pairs', values: [{ a: 9999 }], format: 'JSONEachRow' });
  const result = await client.query({
    query: 'SELECT count() AS n, max(b) AS most, uniqExact(b) AS u FROM pairs',
    format: 'JSONEachRow',
  });
  assert.deepEqual((await result.json<Record<string, string>>()).map(numbers), [
    { n: 5001, most: 'row\n999', u: 5001 },
  ]);
  await client.close();
});

/** 64-bit counts may come as numbers or strings. */
function numbers(row: Record<string, string>) {
  return { ...row, n: Number(row['n']), u: Number(row['u']) };
}

test('a statement that runs twice at once under one query id is refused', async () => {
  const slow = query(SLOW, { query_id: 'twice', max_execution_time: '1' });
  await sleep(100);
  const second = await query('SELECT 1', { query_id: 'twice' });
  assert.equal(second.headers.get('x-clickhouse-exception-code'), '216');
  assert.equal((await slow).headers.get('x-clickhouse-exception-code'), '159');
});

test('headers say the format, the query id and a summary', async () => {
  const response = await query('SELECT 1 AS a FORMAT JSONEachRow', { query_id: 'my-id' });
  assert.equal(response.headers.get('x-clickhouse-format'), 'JSONEachRow');
  assert.equal(response.headers.get('x-clickhouse-query-id'), 'my-id');
  assert.match(response.headers.get('content-type') ?? '', /application\/json/);
  assert.ok('read_rows' in JSON.parse(response.headers.get('x-clickhouse-summary') ?? '{}'));
  assert.equal(await response.text(), '{"a":1}\n');
  const plain = await query('SELECT 1, 2', { default_format: 'CSV' });
  assert.equal(await plain.text(), '1,2\n');
});

test('a wrong password and a wrong user are refused alike', async () => {
  const url = await engine.embedded.url();
  const { password } = engine.embedded.credentials('query');
  const attempts = ['query:wrong', `nobody:${password}`, `ingest:${password}`, '', ':', 'query'];
  const answers = await Promise.all(
    attempts.map(async (pair) => {
      const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
      const response = await fetch(`${url}/?query=SELECT+1`, { headers: { authorization } });
      return `${response.status} ${await response.text()}`;
    }),
  );
  assert.equal(new Set(answers).size, 1);
  assert.match(answers[0] as string, /^403 Code: 516\..*\(AUTHENTICATION_FAILED\)/s);
});

test('user and key headers work as well as basic authentication', async () => {
  const { user, password } = engine.embedded.credentials('query');
  const response = await fetch(`${await engine.embedded.url()}/?query=SELECT+1`, {
    headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password },
  });
  assert.equal(await response.text(), '1\n');
});

test('the query secret reads no file, writes no file, changes nothing', async () => {
  const secretFile = join(engine.dataDir, 'secret.txt');
  const target = join(engine.dataDir, 'written.txt');
  await writeFile(secretFile, 'hidden words');
  for (const sql of [
    `SELECT file('${secretFile}')`,
    `SELECT * FROM file('${secretFile}', 'LineAsString')`,
    `SELECT 1 INTO OUTFILE '${target}'`,
    `INSERT INTO FUNCTION file('${target}', 'CSV') SELECT 1`,
    'INSERT INTO spanhouse.pairs SELECT 1',
    'WITH x AS (SELECT 1) INSERT INTO spanhouse.spans_in SELECT 1',
    'CREATE TEMPORARY TABLE t (a Int8)',
    'DROP TABLE spanhouse.spans',
    'SET max_execution_time = 0',
    'SELECT 1 SETTINGS max_execution_time = 0',
    'SELECT 1 SETTINGS readonly = 0',
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1', 'system.one')",
    'EXPLAIN CURRENT TRANSACTION; DROP TABLE spanhouse.spans',
  ]) {
    const response = await query(sql);
    const text = await response.text();
    assert.ok(!response.ok, sql);
    assert.match(text, /^Code: \d+\. DB::Exception: /, sql);
    assert.ok(!text.includes('hidden words'), sql);
  }
  await assert.rejects(access(target), 'a file was written');
  assert.equal(await (await query('EXISTS TABLE spanhouse.spans')).text(), '1\n');
  assert.equal(
    await (await query("SELECT getSetting('max_execution_time')")).text(),
    '30\n',
    'the limit still stands',
  );
});

test('settings that a reader may not bring are refused by name', async () => {
  const response = await query('SELECT 1', { readonly: '0' });
  assert.match(await response.text(), /Code: 452\..*readonly/);
  const limited = await query('SELECT number FROM numbers(100)', { max_result_rows: '10' });
  assert.equal(limited.headers.get('x-clickhouse-exception-code'), '396');
});

test('a value of one request is not there in the next', async () => {
  await query('SELECT {tenant:String}', { param_tenant: 'a' });
  const response = await query('SELECT {tenant:String}');
  assert.equal(response.headers.get('x-clickhouse-exception-code'), '456');
});

test('parameters of parallel requests do not mix', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const response = await query('SELECT {x:String}', { param_x: `value ${i}` });
      return (await response.text()) === `value ${i}\n`;
    }),
  );
  assert.deepEqual(new Set(answers), new Set([true]));
});

test('a reader kills its own query and no other’s', async () => {
  const own = query(SLOW, { query_id: 'own' });
  const foreign = ingest(SLOW, { query_id: 'foreign' });
  await sleep(200);
  const kill = (id: string) => query('KILL QUERY WHERE query_id = {id:String}', { param_id: id });
  assert.equal(await (await kill('foreign')).text(), '');
  assert.match(await (await kill('own')).text(), /^waiting\town\t/);
  assert.equal((await own).headers.get('x-clickhouse-exception-code'), '394');
  await ingest("KILL QUERY WHERE query_id = 'foreign'");
  assert.equal((await foreign).headers.get('x-clickhouse-exception-code'), '394');
});

test('a query whose client went away is stopped, and its session serves again', async () => {
  const { user, password } = engine.embedded.credentials('query');
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const url = `${await engine.embedded.url()}/?${new URLSearchParams({ query: SLOW })}`;
  for (let i = 0; i < 6; i += 1) {
    const signal = AbortSignal.timeout(100);
    await assert.rejects(fetch(url, { method: 'POST', headers: { authorization }, signal }));
  }
  const started = performance.now();
  assert.equal(await (await query('SELECT 1')).text(), '1\n');
  assert.ok(performance.now() - started < 5000);
  const rows = await engine.rows(
    "SELECT query FROM system.processes WHERE query LIKE '%numbers(100000000000)%' " +
      "AND query NOT LIKE '%processes%'",
  );
  assert.deepEqual(rows, []);
});

test('more queries than may wait are refused as too many', async () => {
  const slow = Array.from({ length: 150 }, () => query(SLOW, { max_execution_time: '0.1' }));
  const codes = (await Promise.all(slow)).map((response) => [
    response.status,
    response.headers.get('x-clickhouse-exception-code'),
  ]);
  const refused = codes.filter(([status, code]) => status === 503 && code === '202');
  const timedOut = codes.filter(([, code]) => code === '159');
  assert.ok(refused.length > 0, 'none was refused');
  assert.ok(timedOut.length > 64, 'those that could wait were served');
  assert.equal(refused.length + timedOut.length, 150);
});

test('rows in the body of an INSERT are data, whatever they look like', async () => {
  await ingest('CREATE TABLE spanhouse.lines (s String) ENGINE = MergeTree ORDER BY s');
  const evil = '{"s":"a"}\n\n\nDROP TABLE spanhouse.lines;\n';
  const bad = await ingest(evil, { query: 'INSERT INTO spanhouse.lines FORMAT JSONEachRow' });
  assert.ok(!bad.ok);
  const good = await ingest('INSERT INTO spanhouse.lines FORMAT JSONEachRow\n{"s":"x\\ny;"}\n');
  assert.equal(good.status, 200, await good.text());
  assert.deepEqual(await engine.rows('SELECT s FROM spanhouse.lines'), [{ s: 'x\ny;' }]);
});

test('binary rows keep every byte, and leave no file behind', async () => {
  await ingest('CREATE TABLE spanhouse.bytes (n UInt8, s String) ENGINE = MergeTree ORDER BY n');
  const native = await engine.native(
    "SELECT toUInt8(number) AS n, concat(char(number), '\\n\\n;', char(0, 10, 10)) AS s FROM numbers(256)",
  );
  const insert = 'INSERT INTO spanhouse.bytes FORMAT Native';
  const { user, password } = engine.embedded.credentials('ingest');
  const response = await fetch(
    `${await engine.embedded.url()}/?${new URLSearchParams({ query: insert })}`,
    {
      method: 'POST',
      body: gzipSync(native),
      headers: {
        'Content-Encoding': 'gzip',
        authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      },
    },
  );
  assert.equal(response.status, 200, await response.text());
  const rows = await engine.rows(
    "SELECT count() AS found FROM spanhouse.bytes WHERE s = concat(char(n), '\\n\\n;', char(0, 10, 10))",
  );
  assert.equal(Number(rows[0]?.['found']), 256);
  assert.deepEqual(await readdir(join(engine.dataDir, 'incoming')), []);
});

test('columns go by name, and RowBinary by the order of the list', async () => {
  await ingest('CREATE TABLE spanhouse.named (a UInt8, b UInt8) ENGINE = MergeTree ORDER BY a');
  const native = await engine.native('SELECT toUInt8(2) AS b, toUInt8(1) AS a');
  await ingest(new Uint8Array(native), { query: 'INSERT INTO spanhouse.named FORMAT Native' });
  const binary = await ingest(Uint8Array.of(4, 3), {
    query: 'INSERT INTO spanhouse.named (b, a) FORMAT RowBinary',
  });
  assert.equal(binary.status, 200, await binary.text());
  assert.deepEqual(await engine.rows('SELECT a, b FROM spanhouse.named ORDER BY a'), [
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ]);
});

test('a new column is known to the next insert', async () => {
  await ingest('CREATE TABLE spanhouse.grows (a UInt8) ENGINE = MergeTree ORDER BY a');
  const insert = 'INSERT INTO spanhouse.grows FORMAT JSONEachRow\n';
  await ingest(`${insert}{"a":1}`);
  assert.ok(!(await ingest(`${insert}{"a":2,"b":2}`)).ok);
  await ingest('ALTER TABLE spanhouse.grows ADD COLUMN b UInt8');
  assert.equal((await ingest(`${insert}{"a":2,"b":2}`)).status, 200);
});

test('requests that are not ClickHouse’s are refused plainly', async () => {
  const url = await engine.embedded.url();
  assert.equal((await fetch(`${url}/play`)).status, 404);
  assert.equal((await fetch(`${url}/`, { method: 'DELETE' })).status, 405);
  assert.equal((await query('SELECT 1', { session_id: 'x' })).status, 400);
  assert.equal((await query('SELECT 1', { database: 'a`; DROP' })).status, 400);
  assert.equal((await query('SELECT 1', { database: 'missing' })).status, 404);
  assert.equal((await query(`SELECT '${'x'.repeat(1024 * 1024)}'`)).status, 413);
  assert.equal((await query('')).status, 400);
});

test('a GET changes nothing, also for the writer', async () => {
  const { user, password } = engine.embedded.credentials('ingest');
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const response = await fetch(`${await engine.embedded.url()}/?query=DROP+TABLE+spanhouse.spans`, {
    headers: { authorization },
  });
  assert.equal(response.headers.get('x-clickhouse-exception-code'), '164');
});

test('bodies that are no gzip, of another encoding or broken off insert nothing', async () => {
  await ingest('CREATE TABLE spanhouse.bad (a UInt8) ENGINE = MergeTree ORDER BY a');
  const { user, password } = engine.embedded.credentials('ingest');
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const query = 'INSERT INTO spanhouse.bad FORMAT RowBinary';
  const url = `${await engine.embedded.url()}/?${new URLSearchParams({ query })}`;
  const post = async (body: Uint8Array<ArrayBuffer>, encoding: string) => {
    const headers = { authorization, 'Content-Encoding': encoding };
    const response = await fetch(url, { method: 'POST', body, headers });
    return response.headers.get('x-clickhouse-exception-code');
  };
  assert.equal(await post(Uint8Array.of(1, 2, 3), 'gzip'), '354');
  assert.equal(await post(new Uint8Array(gzipSync('abcdef').subarray(0, 15)), 'gzip'), '354');
  assert.equal(await post(Uint8Array.of(1), 'br'), '36');
  const half = request(url, { method: 'POST', headers: { authorization } });
  const broken = once(half, 'error');
  half.write(Uint8Array.of(1, 2, 3));
  await sleep(50);
  half.destroy(new Error('gone'));
  await broken;
  await sleep(100);
  assert.deepEqual(await engine.rows('SELECT a FROM spanhouse.bad'), []);
  assert.deepEqual(await readdir(join(engine.dataDir, 'incoming')), []);
});

test('a gzip bomb is refused while it inflates', async () => {
  const { user, password } = engine.embedded.credentials('ingest');
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const query = 'INSERT INTO spanhouse.bad FORMAT RowBinary';
  const response = await fetch(
    `${await engine.embedded.url()}/?${new URLSearchParams({ query })}`,
    {
      method: 'POST',
      body: gzipSync(Buffer.alloc(260 * 1024 * 1024), { level: 1 }),
      headers: { authorization, 'Content-Encoding': 'gzip' },
    },
  );
  assert.equal(response.headers.get('x-clickhouse-exception-code'), '307');
  assert.deepEqual(await readdir(join(engine.dataDir, 'incoming')), []);
});
