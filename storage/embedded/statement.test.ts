import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqlRefusal } from './sql.ts';
import { classify, outputFormat } from './statement.ts';

test('the query user may read', () => {
  for (const sql of [
    'SELECT 1',
    'select file FROM t',
    'WITH 1 AS x SELECT x',
    '(SELECT 1) UNION ALL (SELECT 2)',
    'SHOW TABLES',
    'DESCRIBE TABLE t',
    'EXPLAIN SELECT 1',
    'EXISTS TABLE t',
    "SELECT 'file(', `file` FROM numbers(3)",
  ]) {
    assert.equal(classify(sql, 'query').kind, 'read', sql);
  }
});

const FORBIDDEN: readonly [string, string][] = [
  ['insert', 'INSERT INTO t SELECT 1'],
  ['insert rows', 'INSERT INTO t FORMAT Native'],
  ['hide an insert behind a comment', '/* SELECT */ INSERT INTO t SELECT 1'],
  ['change the schema', 'create table t (a Int8) engine = Memory'],
  ['attach', 'ATTACH TABLE t'],
  ['set', 'SET readonly = 0'],
  ['set a parameter', "SET param_x = 'a'"],
  ['use another database', 'USE system'],
  ['command the system', 'SYSTEM FLUSH LOGS'],
  ['back up', "BACKUP TABLE t TO File('x')"],
  ['optimize', 'OPTIMIZE TABLE t'],
  ['kill at large', 'KILL QUERY WHERE 1'],
  ['kill with a wider condition', "KILL QUERY WHERE query_id = 'a' OR 1 = 1"],
  ['kill mutations', "KILL MUTATION WHERE mutation_id = 'a'"],
  ['write a file', "SELECT 1 INTO OUTFILE '/tmp/x'"],
  ['write a file with words apart', "SELECT 1 into/**/outfile '/tmp/x'"],
  ['read a file by a function', "SELECT file('/etc/passwd')"],
  ['read a file with other capitals', "SELECT FiLe('/etc/passwd')"],
  ['read a file behind a comment', "SELECT file/* */\n('/etc/passwd')"],
  ['read a file by a quoted name', "SELECT `file`('/etc/passwd')"],
  ['read a file by an escaped name', "SELECT `\\x66ile`('/etc/passwd')"],
  ['read a file in a nested query', "SELECT (SELECT max(x) FROM (SELECT file('a') AS x))"],
  ['reach a URL', "SELECT * FROM url('http://localhost/', 'CSV')"],
  ['reach another server', "SELECT * FROM remoteSecure('localhost', 'system.one')"],
  ['reach S3', "SELECT * FROM s3('http://localhost/b/x')"],
  ['run a program', "SELECT * FROM executable('x', 'CSV', 'a Int8')"],
  ['evaluate a model file', "SELECT catboostEvaluate('/etc/passwd', 1)"],
];

for (const [what, sql] of FORBIDDEN) {
  test(`the query user may not ${what}`, () => {
    assert.throws(() => classify(sql, 'query'), SqlRefusal);
  });
}

test('rows behind an INSERT are not read as SQL', () => {
  const head = 'INSERT INTO db.`t` (a, `b`) FORMAT JSONEachRow\n';
  const statement = classify(`${head}{"a":";DROP TABLE t \u0000'"}`, 'ingest');
  assert.equal(statement.kind, 'insert_data');
  if (statement.kind !== 'insert_data') return;
  assert.deepEqual(statement.insert, {
    table: 'db.`t`',
    columns: ['a', 'b'],
    settings: '',
    format: 'JSONEachRow',
    dataStart: head.length,
  });
});

test('settings of an INSERT are kept', () => {
  const statement = classify('insert into t settings a = 1 format native', 'ingest');
  assert.ok(statement.kind === 'insert_data');
  assert.equal(statement.insert.settings.trim(), 'a = 1');
  assert.equal(statement.insert.format, 'Native');
});

test('an INSERT of values or of a SELECT is an ordinary statement', () => {
  assert.equal(classify("INSERT INTO t (a) VALUES ('x')", 'ingest').kind, 'write');
  assert.equal(classify('INSERT INTO t SELECT 1', 'ingest').kind, 'write');
  assert.equal(classify('INSERT INTO FUNCTION null() SELECT 1', 'ingest').kind, 'write');
});

test('rows in a format that is not known are refused', () => {
  assert.throws(() => classify('INSERT INTO t FORMAT Template', 'ingest'), { code: 73 });
});

test('KILL QUERY names one query, by literal or by parameter', () => {
  assert.equal(classify("KILL QUERY WHERE query_id = 'abc'", 'query').kind, 'kill');
  const bound = classify('kill query where query_id = {id:String} sync', 'query');
  assert.deepEqual(bound, { kind: 'kill', id: { parameter: 'id' } });
});

test('the output format is the one of the last clause', () => {
  const format = (sql: string) => {
    const statement = classify(sql, 'query');
    return 'sql' in statement ? outputFormat(statement.sql.tokens) : undefined;
  };
  assert.equal(format('SELECT 1 FORMAT JSONEachRow'), 'JSONEachRow');
  assert.equal(format('SELECT 1 \nformat Native SETTINGS a = 1'), 'Native');
  assert.equal(format("SELECT format('{}', 'x')"), undefined);
  assert.equal(format('SELECT 1'), undefined);
});
