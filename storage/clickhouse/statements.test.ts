import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { archivedKeysStatement, archivedStatement, archiveSizeStatement } from './archive.ts';
import {
  type Condition,
  type Filter,
  isNarrow,
  nthCandidateStatement,
  pairsStatement,
  placesStatement,
  searchStatement,
  sharedLowsStatement,
  spansStatement,
} from './find_statements.ts';
import { operationsStatement, servicesStatement } from './list_statements.ts';
import { bucketStatesStatement, dueStatement } from './settled/buckets.ts';
import { settledEdgesStatement, spanEdgesStatement } from './settled/edge_statements.ts';
import { redRows, settledRedStatement, spanRedStatement } from './settled/red_statements.ts';
import { clientBucketsStatement, laterBucketsStatement } from './settled/window.ts';
import { skeletonStatement } from './skeleton_statement.ts';
import type { Statement } from './statement.ts';
import { summaryStatement } from './summary_statement.ts';
import { contentStatement, identitiesStatement, tracesStatement } from './trace_statements.ts';

const NOON = BigInt(Date.UTC(2026, 10, 23, 12)) * 1_000_000n;

const filter: Filter = {
  tenant: 'acme',
  fromUnixNanos: NOON - 3_600_000_000_000n,
  toUnixNanos: NOON,
  service: "shop's",
  operation: 'GET /',
  durationNanosMin: 1_000_000n,
  durationNanosMax: 2_000_000_000n,
  conditions: [],
};

const tag = (key: string, text: string, resource = false, scope = false): Condition => ({
  type: 'tag',
  tag: { key, text },
  places: { resource, scope },
});

const everyCondition: Condition[] = [
  tag('http.status_code', '500', true, true),
  tag('ok', 'true'),
  tag('zero', '0'),
  { type: 'kind', kind: 2 },
  { type: 'status_message', text: 'no seats' },
  { type: 'not', condition: { type: 'any', conditions: [{ type: 'status', status: 2 }] } },
];

const keys = [{ high: 1n, low: 2n ** 64n - 1n }];
const days = { first: 20_000, last: 20_001 };

const spanWindow = { tenant: 'acme', fromUnixNanos: NOON - 300_000_000_000n, toUnixNanos: NOON };
const settledWindow = {
  tenant: 'acme',
  firstBucket: 0,
  lastBucket: 3000,
  except: [{ firstBucket: 600, lastBucket: 900 }],
};
const red = { services: ["shop's"], kinds: [2, 3], byOperation: false, bySlot: false } as const;

/** The text as it is sent, the parameters beneath: so that a change of either is seen in review. */
const STATEMENTS: Readonly<Record<string, Statement>> = {
  find_by_service: searchStatement(filter, 'newest', 20),
  find_slowest_of_kind: searchStatement(
    { ...filter, conditions: [{ type: 'kind', kind: 2 }] },
    'slowest',
    20,
  ),
  find_by_tags: spansStatement({ ...filter, conditions: everyCondition }, 'newest', 20),
  find_oldest_by_tag: spansStatement({ ...filter, conditions: [tag('k', 'v')] }, 'oldest', 1),
  pairs: pairsStatement(filter, [1n, 2n]),
  shared_lows: sharedLowsStatement(filter, 'newest', [1n], 20),
  find_by_tag_of_service: spansStatement(
    {
      tenant: 'acme',
      fromUnixNanos: 0n,
      toUnixNanos: NOON,
      service: 'a',
      conditions: [tag('k', '1')],
    },
    'newest',
    20,
  ),
  nth_candidate: nthCandidateStatement(
    {
      ...filter,
      service: 'a',
      operation: 'b',
      conditions: [tag('k', 'v'), { type: 'kind', kind: 2 }],
    },
    'newest',
    100,
  ),
  places: placesStatement(filter, [
    { key: 'a', text: 'b' },
    { key: 'c', text: 'd' },
  ]),
  bucket_states: bucketStatesStatement('acme', 0, 300),
  due: dueStatement({ nowUnixMs: 1_000_000, delayMs: 120_000, limit: 4 }),
  later_buckets: laterBucketsStatement(spanWindow),
  client_buckets: clientBucketsStatement(spanWindow, false),
  span_edges: spanEdgesStatement(spanWindow),
  settled_edges: settledEdgesStatement(settledWindow, 'zipkin'),
  red_rows: redRows(spanWindow),
  span_red: spanRedStatement(spanWindow, red),
  settled_red: settledRedStatement(settledWindow, { ...red, byOperation: true, bySlot: true }),
  services: servicesStatement('acme', 10),
  operations: operationsStatement('acme', 'shop', undefined, 10),
  operations_of_kind: operationsStatement('acme', 'shop', 2, 10),
  skeletons: skeletonStatement('acme', keys, days, 1000),
  identities: identitiesStatement('acme', keys[0]!, 1000),
  traces: tracesStatement('acme', keys, 1000),
  resources: contentStatement('resources', 'acme', [5n], days),
  summaries: summaryStatement('acme', keys, 1000),
  archived: archivedStatement('acme', { high: 1n, low: 2n }),
  archived_keys: archivedKeysStatement('acme', keys),
  archive_size: archiveSizeStatement('acme', { high: 1n, low: 2n }),
};

function golden({ sql, params, settings }: Statement): string {
  const lines = Object.entries(params)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `-- ${name} = ${Array.isArray(value) ? `[${value}]` : String(value)}`);
  const how = settings === undefined ? '' : `-- settings ${JSON.stringify(settings)}\n`;
  return `${sql}\n${lines.join('\n')}\n${how}`;
}

// UPDATE_GOLDEN=1 writes the files anew.
for (const [name, statement] of Object.entries(STATEMENTS)) {
  test(`the statement ${name} is as in testdata`, () => {
    const file = new URL(`./testdata/${name}.sql`, import.meta.url);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, golden(statement));
    assert.equal(golden(statement), readFileSync(file, 'utf8'));
  });

  test(`the statement ${name} binds every value, and the tenant wherever it reads a table`, () => {
    const { sql, params } = statement;
    const asked = new Set([...sql.matchAll(/\{(\w+):/g)].map((match) => match[1]!));
    asked.delete('db');
    assert.deepEqual([...asked].toSorted(), Object.keys(params).toSorted());
    for (const value of ["shop's", 'GET /', 'no seats', 'acme']) assert.ok(!sql.includes(value));
    const tables = sql.match(/\{db:Identifier\}\./g)?.length ?? 0;
    const tenants = sql.match(/tenant = \{tenant:String\}/g)?.length ?? 0;
    // The settle job asks for all tenants, and tells them apart.
    if (name !== 'due') assert.equal(tenants, tables);
    assert.doesNotMatch(sql, /FROM (?!\{db:Identifier\}|\(|nodes\b)/);
  });
}

test('the expressions of the indexes are word for word those in the schema', () => {
  const schema = readFileSync(new URL('./schema/0001_spans.sql', import.meta.url), 'utf8');
  const { operation: _, ...anywhere } = filter;
  const asked = { kv: anywhere, op_kv: filter };
  for (const [name, of] of Object.entries(asked)) {
    const found = new RegExp(`INDEX ${name} (arrayConcat\\([\\s\\S]*?event_kv\\)+) TYPE`);
    const index = found.exec(schema)?.[1];
    assert.ok(index !== undefined);
    const { sql } = spansStatement({ ...of, conditions: [tag('k', 'v')] }, 'newest', 1);
    const spaceless = (text: string): string => text.replaceAll(/\s+/g, ' ');
    assert.ok(spaceless(sql).includes(`hasAny(${spaceless(index)}, [`), name);
  }
});

test('a search needs the wide table only for what the narrow one lacks', () => {
  const kind: Condition = { type: 'kind', kind: 1 };
  const message: Condition = { type: 'status_message', text: '' };
  assert.equal(isNarrow([]), true);
  assert.equal(isNarrow([kind, { type: 'not', condition: { type: 'status', status: 2 } }]), true);
  assert.equal(isNarrow([kind, tag('k', 'v')]), false);
  assert.equal(isNarrow([{ type: 'any', conditions: [kind, message] }]), false);
});

test('days outside of what a Date can hold are brought to its ends', () => {
  const span = 2n ** 62n;
  const { params } = pairsStatement({ ...filter, fromUnixNanos: -span, toUnixNanos: span }, [1n]);
  assert.equal(params['firstDay'], 0);
  assert.equal(params['lastDay'], 53_375);
});
