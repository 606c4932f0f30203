// ClickHouse itself reads the twin's blocks: the rows that come back are the rows that went in.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Session } from 'chdb';
import fc from 'fast-check';
import { MAX_AGE_SECONDS, plainRequest, RECORD_UNIX_NANOS } from '../testing/request_arbitrary.ts';
import { encodeRequest } from '../testing/request_encoder.ts';
import { rowsTwin, type TwinRecord, transcodeTwin } from '../twin.ts';
import type { Cell, Pair } from './native.ts';
import type { Row } from './row.ts';

const SCHEMA = new URL('../../../../storage/clickhouse/schema/0001_spans.sql', import.meta.url);
const SEED = 20_261_123;
const REQUESTS = 400;

const folder = mkdtempSync(join(tmpdir(), 'spanhouse-twin-'));
const session = new Session(join(folder, 'data'));
after(() => {
  session.cleanup();
  rmSync(folder, { recursive: true, force: true });
});

function createTables(): void {
  const placeholders: Record<string, string> = {
    db: 'default',
    on_cluster: '',
    // The requests' day stays within the retention for as long as this test may run.
    retention_days: '3650',
    MergeTree: 'MergeTree',
    AggregatingMergeTree: 'AggregatingMergeTree',
    ReplacingMergeTree: 'ReplacingMergeTree',
  };
  const sql = readFileSync(SCHEMA, 'utf8').replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => {
    return placeholders[name] ?? whole;
  });
  for (const statement of sql.split(/;\s*$/m)) {
    if (/^\s*CREATE/m.test(statement)) session.query(statement);
  }
}

function insert(native: Uint8Array): void {
  const file = join(folder, 'block.native');
  writeFileSync(file, native);
  session.query(`INSERT INTO default.spans_in SELECT * FROM file('${file}', 'Native')`);
}

/** Rows as JSON strings, sorted: the store promises no order. */
function select(sql: string): string[] {
  const lines = session.query(sql, 'JSONCompactEachRow').split('\n').filter(Boolean);
  return lines.map((line) => JSON.stringify(JSON.parse(line))).sort();
}

const pairsSql = (map: string, value: string) =>
  `arrayMap((k, v) -> concat(hex(k), '=', ${value}), mapKeys(${map}), mapValues(${map}))`;

const SPANS_SQL = `
  SELECT hex(tenant), toString(trace_lo), toString(trace_hi), toString(span_id),
    toString(parent_id), toString(h), toString(toUnixTimestamp64Nano(ts)), toString(duration),
    hex(service), hex(name), toString(kind), toString(status), hex(status_message),
    toString(flags), toString(resource_id), toString(scope_id),
    ${pairsSql('attr_s', 'hex(v)')}, ${pairsSql('attr_i', 'toString(v)')},
    ${pairsSql('attr_d', 'toString(reinterpretAsUInt64(v))')}, ${pairsSql('attr_b', 'toString(v)')},
    ${pairsSql('attr_x', 'hex(v)')}, hex(events), hex(links), hex(rest),
    arrayMap(x -> toString(x), event_kv)
  FROM default.spans`;

function expectedSpan(row: Row): string {
  return JSON.stringify(
    [
      ...[row.tenant, row.trace_lo, row.trace_hi, row.span_id, row.parent_id, row.h, row.ts],
      ...[BigInt.asIntN(64, row.duration), row.service, row.name, row.kind, row.status],
      ...[row.status_message, row.flags, row.resource_id, row.scope_id],
      ...[row.attr_s, row.attr_i, row.attr_d, row.attr_b, row.attr_x],
      ...[row.events, row.links, row.rest, row.event_kv],
    ].map(shown),
  );
}

function shown(cell: Cell): string | string[] {
  if (typeof cell === 'bigint') return String(cell);
  if (cell instanceof Uint8Array) return hex(cell);
  return (cell as readonly (bigint | Pair)[]).map((item) =>
    typeof item === 'bigint' ? String(item) : `${hex(item[0])}=${shown(item[1])}`,
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

function expectedOrigins(rows: readonly Row[], kind: 'resource' | 'scope'): string[] {
  const all = rows
    .filter((row) => row[kind].message.length > 0 || row[kind].schemaUrl.length > 0)
    .map((row) => {
      const day = new Date(Number(row.ts / 1_000_000n)).toISOString().slice(0, 10);
      const { message, schemaUrl, attributes } = row[kind];
      const id = String(row[`${kind}_id`]);
      const cells = [message, schemaUrl, attributes].map(shown);
      return JSON.stringify([hex(row.tenant), day, id, ...cells]);
    });
  return [...new Set(all)].sort();
}

/** Not FINAL, which would leave one day of those that a resource was seen on. */
const originsSql = (table: string) => `
  SELECT DISTINCT hex(tenant), toString(day), toString(id), hex(bytes), hex(schema_url),
    ${pairsSql('attrs', 'hex(v)')}
  FROM default.${table}`;

test('the engine reads back every row, resource and scope of random blocks', () => {
  createTables();
  const records = fc
    .sample(plainRequest, { seed: SEED, numRuns: REQUESTS })
    .map(encodeRequest)
    .map((bytes, i): TwinRecord => {
      return {
        tenant: i % 3 === 0 ? 'other' : 'default',
        bytes,
        recordUnixNanos: RECORD_UNIX_NANOS,
      };
    });
  const { blocks } = transcodeTwin(records, { maxAgeSeconds: MAX_AGE_SECONDS, blockRowsMax: 150 });
  assert.ok(blocks.length > 2);
  for (const block of blocks) insert(block.native);

  const { rows } = rowsTwin(records, MAX_AGE_SECONDS);
  assert.deepEqual(select(SPANS_SQL), rows.map(expectedSpan).sort());
  assert.deepEqual(select(originsSql('resources')), expectedOrigins(rows, 'resource'));
  assert.deepEqual(select(originsSql('scopes')), expectedOrigins(rows, 'scope'));
});
