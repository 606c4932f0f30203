import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestEngine, type TestEngine } from '../embedded/testing.ts';
import { type MigrateOptions, migrate } from './migrate.ts';
import { readSchemaFiles, renderStatements } from './schema_file.ts';

let engine: TestEngine;
let schemaDir: string;
before(async () => {
  engine = await startTestEngine(false);
  schemaDir = await mkdtemp(join(tmpdir(), 'spanhouse-schema-'));
  await cp(fileURLToPath(new URL('./schema/', import.meta.url)), schemaDir, { recursive: true });
});
after(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(schemaDir, { recursive: true, force: true });
});

const run = async (database: string, options: Partial<MigrateOptions> = {}) =>
  migrate({
    client: await engine.embedded.access.ingest(),
    database,
    retentionDays: 30,
    ...options,
  });

const ttls = async (database: string) =>
  (
    await engine.rows(
      `SELECT extract(engine_full, 'toIntervalDay\\\\((\\\\d+)\\\\)') AS days FROM system.tables ` +
        `WHERE database = '${database}' AND engine_full LIKE '%TTL%'`,
    )
  ).map((row) => row['days']);

// After a change to the schema: UPDATE_GOLDEN=1, then read the difference.
for (const [name, cluster] of [
  ['single', undefined],
  ['cluster', 'main_cluster'],
] as const) {
  test(`the rendered schema for ${name} is the golden one`, async () => {
    const golden = fileURLToPath(new URL(`./testdata/schema_${name}.sql`, import.meta.url));
    const options = { database: 'traces', retentionDays: 14, cluster };
    const files = readSchemaFiles().map((file) => [
      `-- ${file.name}`,
      ...renderStatements(file.template, options).map((statement) => `${statement};`),
    ]);
    const text = `${files.flat().join('\n\n')}\n`;
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(golden, text);
    assert.equal(text, await readFile(golden, 'utf8'));
    assert.ok(!text.includes('{{'));
  });
}

test('every statement of the schema can be repeated', () => {
  const options = { database: 'traces', retentionDays: 14 };
  for (const file of readSchemaFiles()) {
    for (const statement of renderStatements(file.template, options)) {
      assert.match(
        statement,
        // The highest time of a bucket is the same however often it is noted.
        /\bIF (NOT )?EXISTS\b|\bMODIFY SETTING\b|^INSERT INTO traces\.touched\b/,
        `${file.name}: ${statement.slice(0, 80)}`,
      );
    }
  }
});

test('an empty server gets the whole schema, a second run changes nothing', async () => {
  const first = await run('fresh');
  assert.deepEqual(
    first.applied,
    readSchemaFiles().map((file) => file.name),
  );
  assert.deepEqual(await run('fresh'), { applied: [], statements: [] });
  const engines = await engine.rows("SELECT engine FROM system.databases WHERE name = 'fresh'");
  assert.deepEqual(engines, [{ engine: 'Atomic' }]);
});

test('two that migrate at once do not disturb each other', async () => {
  await Promise.all([run('both'), run('both')]);
  assert.deepEqual((await run('both')).applied, []);
});

test('a migration that was broken off is taken up again', async () => {
  const { statements } = await run('half', { dryRun: true });
  const client = await engine.embedded.access.ingest();
  for (const query of statements.slice(0, 7)) await client.command({ query });
  assert.equal((await run('half')).applied.length, readSchemaFiles().length);
  assert.deepEqual((await run('half')).statements, []);
});

test('a dry run says what it would do and does nothing', async () => {
  const { statements } = await run('dry', { dryRun: true });
  assert.match(statements[0] as string, /^CREATE DATABASE IF NOT EXISTS dry ENGINE = Atomic$/);
  assert.deepEqual(await engine.rows("SELECT 1 FROM system.databases WHERE name = 'dry'"), []);
});

test('another retention is told to every table, once', async () => {
  await run('kept');
  assert.deepEqual(new Set(await ttls('kept')), new Set(['30']));
  const changed = await run('kept', { retentionDays: 7 });
  assert.ok(changed.statements.length >= 6);
  assert.ok(changed.statements.every((one) => one.startsWith('ALTER TABLE kept.')));
  assert.deepEqual(new Set(await ttls('kept')), new Set(['7']));
  assert.deepEqual((await run('kept', { retentionDays: 7 })).statements, []);
});

test('a schema file that was changed after it was applied is refused', async () => {
  await run('changed', { schemaDir });
  const file = join(schemaDir, readSchemaFiles(schemaDir)[0]?.name ?? '');
  const before = await readFile(file, 'utf8');
  await writeFile(file, before.replaceAll('\n', '\r\n'));
  assert.deepEqual((await run('changed', { schemaDir })).applied, [], 'line ends do not count');
  await writeFile(file, `${before}\n-- changed\n`);
  await assert.rejects(run('changed', { schemaDir }), /0001_spans\.sql is not the one that was/);
  await writeFile(file, before);
});

test('a database of a newer version is refused', async () => {
  const next = String(readSchemaFiles(schemaDir).length + 1).padStart(4, '0');
  const newer = join(schemaDir, `${next}_later.sql`);
  await writeFile(newer, 'CREATE TABLE IF NOT EXISTS {{db}}.later (a UInt8) ENGINE = Null;\n');
  assert.ok((await run('newer', { schemaDir })).applied.includes(`${next}_later.sql`));
  await rm(newer);
  await assert.rejects(run('newer', { schemaDir }), /was used by a newer version; run that one/);
});

test('names and retentions that cannot be are refused before anything runs', async () => {
  await assert.rejects(run('a b'), /Expected a database name/);
  await assert.rejects(run('a', { cluster: "c'" }), /Expected a cluster name/);
  await assert.rejects(run('a', { retentionDays: 0 }), /Expected a retention/);
  await assert.rejects(run('a', { retentionDays: 1.5 }), /Expected a retention/);
});

test('a gap in the numbers of schema files is refused', async () => {
  const gap = join(schemaDir, '0099_gap.sql');
  await writeFile(gap, '');
  assert.throws(() => readSchemaFiles(schemaDir), /Expected schema file number/);
  await rm(gap);
});
