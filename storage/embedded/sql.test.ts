import assert from 'node:assert/strict';
import { test } from 'node:test';
import { literal, placeholders, readStatement, SqlRefusal } from './sql.ts';

test('strings, quoted names and words are told apart', () => {
  const { tokens } = readStatement("SELECT 'a''b\\'c;', \"x;y\", `z``w` FROM t");
  assert.deepEqual(
    tokens.map((token) => token.kind),
    ['word', 'string', 'symbol', 'quoted', 'symbol', 'quoted', 'word', 'word'],
  );
});

test('comments do not reach the engine', () => {
  assert.equal(readStatement('SELECT/* a ; b */1 -- c ; d\n+ 2').text, 'SELECT 1  + 2');
  assert.equal(readStatement('SELECT 1 -- no line end').text.trim(), 'SELECT 1');
});

test('what looks like a comment inside a string stays', () => {
  const sql = "SELECT '/* -- ', `--`";
  assert.equal(readStatement(sql).text, sql);
});

test('one semicolon at the end is taken off', () => {
  assert.equal(readStatement('SELECT 1 ; -- end').text.trim(), 'SELECT 1');
});

const REFUSED: readonly [string, string][] = [
  ['a second statement', 'SELECT 1; SELECT 2'],
  ['a second statement behind a comment', 'SELECT 1;/* */DROP TABLE t'],
  ['an empty query', ' -- nothing\n'],
  ['a string without an end', "SELECT 'abc"],
  ['a string whose end is escaped', "SELECT 'abc\\'"],
  ['a quoted name without an end', 'SELECT `abc'],
  ['a comment without an end', 'SELECT 1 /* abc'],
  ['comments that nest', 'SELECT 1 /* /* */ ; DROP TABLE t */'],
  ['a heredoc', "SELECT $a$ ' $a$"],
  ['a hash comment', 'SELECT 1 # comment'],
  ['a comment of two slashes', 'SELECT 1 // comment'],
  ['Unicode quotes', 'SELECT \u2018a\u2019'],
  ['a Unicode blank', 'SELECT\u00a01'],
  ['a zero byte', 'SELECT 1\0; DROP TABLE t'],
  ['a zero byte in a string', "SELECT 'a\0'"],
  ['the client command \\G', 'SELECT 1\\G'],
];

for (const [name, sql] of REFUSED) {
  test(`${name} is refused`, () => {
    assert.throws(() => readStatement(sql), SqlRefusal);
  });
}

test('a literal holds nothing that could end it, whatever the value', () => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const text = literal(everyByte);
  assert.match(text, /^'(?:[A-Za-z0-9 _.,:()/-]|\\x[0-9a-f]{2})*'$/);
  assert.equal(literal("it's"), "'it\\x27s'");
});

test('placeholders are found by their names', () => {
  const { tokens } = readStatement("SELECT {a:String}, {b : Array(UInt8)}, '{c:String}', {'d':1}");
  assert.deepEqual([...placeholders(tokens)], ['a', 'b']);
});
