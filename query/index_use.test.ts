// What each statement reads, as ClickHouse plans it: the key or index that must narrow it, and how
// many granules are left of those there are. A statement that lost its index would still answer.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Span } from '../model/span.ts';
import {
  type Filter,
  nthCandidateStatement,
  searchStatement,
  spansStatement,
} from '../storage/clickhouse/find_statements.ts';
import type { Statement } from '../storage/clickhouse/statement.ts';
import { tracesStatement } from '../storage/clickhouse/trace_statements.ts';
import { traceKeyOf } from './get.ts';
import { openTestEngine, type TestEngine } from './testing/engine.ts';
import { attributesOf, HOUR, MINUTE, NOON, spanOf, traceId } from './testing/spans.ts';

const TRACES = 20_000;
const SPREAD_MINUTES = 200;

let engine: TestEngine;
before(() => {
  engine = openTestEngine();
  const spans: Span[] = [];
  for (let n = 0; n < TRACES; n++) {
    spans.push(
      spanOf({
        traceId: traceId(BigInt(n) * 7_919n),
        service: `shop${n % 4}`,
        name: `op${n % 20}`,
        startUnixNanos: NOON - BigInt(n % SPREAD_MINUTES) * MINUTE - BigInt(n),
        attributes: attributesOf({
          tier: n % 20 === 3 && n !== 10_003 ? 'silver' : 'gold',
          ...(n === 15_001 ? { flag: 'rare' } : {}),
        }),
      }),
    );
  }
  engine.insert(spans);
  for (const table of ['spans', 'search', 'trace_summaries']) {
    engine.query(`OPTIMIZE TABLE ${table} FINAL`);
  }
});
after(() => engine.close());

interface Read {
  /** `PrimaryKey` or the name of a skip index, in the order in which they are applied. */
  readonly index: string;
  readonly left: number;
  readonly of: number;
}

/** What a statement reads of its last table. */
async function readsOf(statement: Statement): Promise<readonly Read[]> {
  const sql = `EXPLAIN indexes = 1 ${statement.sql}`;
  const lines: string[] = [];
  for (const block of await engine.select({ ...statement, sql })) {
    const column = block.strings('explain');
    for (let i = 0; i < block.rows; i++) lines.push(column.at(i).trim());
  }
  const reads: Read[] = [];
  let index = '';
  for (const line of lines) {
    if (/^(MinMax|Partition|PrimaryKey)$/.test(line)) index = line;
    const name = /^Name: (\w+)$/.exec(line)?.[1];
    if (name !== undefined) index = name;
    const granules = /^Granules: (\d+)\/(\d+)$/.exec(line);
    if (granules !== null)
      reads.push({ index, left: Number(granules[1]), of: Number(granules[2]) });
  }
  return reads;
}

async function leftAfter(index: string, statement: Statement): Promise<number> {
  const reads = await readsOf(statement);
  const read = reads.find((one) => one.index === index);
  assert.ok(read !== undefined, `${index} is not used: ${JSON.stringify(reads)}`);
  return read.left;
}

const filter: Filter = {
  tenant: 'default',
  fromUnixNanos: NOON - 24n * HOUR,
  toUnixNanos: NOON,
  conditions: [],
};
const tagged = (key: string, text: string): Filter => ({
  ...filter,
  conditions: [{ type: 'tag', tag: { key, text }, places: { resource: false, scope: false } }],
});
const operation = { service: 'shop3', operation: 'op3' };

test('a trace is read by the primary key, some granules of twenty', async () => {
  const key = traceKeyOf(traceId(15_001n * 7_919n))!;
  const statement = tracesStatement('default', [key], 100);
  assert.ok((await leftAfter('PrimaryKey', statement)) <= 2);
});

test('a minute of all services is read by the bucket in the key', async () => {
  const minute = { ...filter, fromUnixNanos: NOON - MINUTE };
  assert.ok((await leftAfter('PrimaryKey', spansStatement(minute, 'newest', 20))) <= 3);
});

test('a rare tag is found by the index of keys and values', async () => {
  const reads = await readsOf(spansStatement(tagged('flag', 'rare'), 'newest', 20));
  const kv = reads.find((read) => read.index === 'kv');
  assert.ok(kv !== undefined && kv.of >= 19 && kv.left <= 8, JSON.stringify(reads));
});

test('a tag that is rare in its operation only is found by the index of operations', async () => {
  const gold = tagged('tier', 'gold');
  const everywhere = await leftAfter(
    'kv',
    spansStatement({ ...gold, service: 'shop3' }, 'newest', 20),
  );
  assert.ok(everywhere >= 19, 'it is common elsewhere');
  const here = await leftAfter('op_kv', spansStatement({ ...gold, ...operation }, 'newest', 20));
  assert.ok(here <= 8, `${here} granules`);
});

test('a search of a service or an operation reads its part of the narrow table', async () => {
  const ofService = searchStatement({ ...filter, service: 'shop3' }, 'newest', 20);
  assert.ok((await leftAfter('PrimaryKey', ofService)) <= 12, 'a quarter');
  const ofOperation = searchStatement({ ...filter, ...operation }, 'newest', 20);
  assert.ok((await leftAfter('PrimaryKey', ofOperation)) <= 4, 'a twentieth');
  const nth = nthCandidateStatement({ ...filter, ...operation }, 'newest', 100);
  assert.ok((await leftAfter('PrimaryKey', nth)) <= 4);
});
