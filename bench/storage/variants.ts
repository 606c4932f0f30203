// The layouts that are compared: each is the real schema (storage/clickhouse/schema/0001_spans.sql)
// with a few edits. An edit whose text is no longer there throws, so that no variant silently
// equals the schema.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fillIn } from './corpus.ts';

type Edits = readonly (readonly [string, string])[];

export interface Variant {
  readonly name: string;
  /** What the edits do, for the table's reader. */
  readonly about: string;
  /** [text in the schema, its replacement]; every occurrence is replaced. */
  readonly edits: Edits;
  /** Added to every insert. */
  readonly insertSettings?: string;
  /** How a bucket of `ts` is written in the key, where not five minutes. */
  readonly bucket?: string;
  /** Tables and views left out. */
  readonly without?: readonly string[];
  /** Rows of `search` come as blocks of their own. */
  readonly ownSearch?: boolean;
  /** Applied to `spans` before anything is inserted. */
  readonly dropIndexes?: readonly string[];
  readonly dropColumns?: readonly string[];
}

const FIVE = 'toStartOfFiveMinutes(ts)';

const KEY_END = 'trace_lo, trace_hi, ts)\nTTL';
const KV_END = '    event_kv) TYPE bloom_filter(0.01) GRANULARITY 4';
const OP_KV_END = 'event_kv)) TYPE bloom_filter(0.025) GRANULARITY 4';
const SPANS_ENGINE = `${OP_KV_END}\n) ENGINE = {{MergeTree}}`;
const LO_IN_SEARCH = '  trace_lo UInt64 CODEC(NONE),\n  kind';
const SEARCH_SELECT = 'SELECT tenant, service, name, ts, duration, trace_lo, kind, status FROM';
const MAP_I = 'attr_i Map(LowCardinality(String), Int64) CODEC(ZSTD(1))';
const MAP_D = 'attr_d Map(LowCardinality(String), Float64) CODEC(ZSTD(1))';
const SPANS_SETTINGS = 'SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1';
const REPLACING: Edits = [
  [KEY_END, 'trace_lo, trace_hi, ts, span_id, kind, h)\nTTL'],
  [SPANS_ENGINE, SPANS_ENGINE.replace('MergeTree', 'ReplacingMergeTree')],
];
const kv16Of = (map: string): string =>
  `arrayMap((k, v) -> toUInt16(cityHash64(k, v)), mapKeys(${map}), mapValues(${map}))`;
const MAPS = ['attr_s', 'attr_i', 'attr_d', 'attr_b'];
export const VARIANTS: readonly Variant[] = [
  { name: 'schema', about: 'the schema as it stands', edits: [] },
  { name: 'replacing', about: 'ReplacingMergeTree, identity in the key', edits: REPLACING },
  {
    name: 'no search',
    about: 'what the search table costs',
    edits: [],
    without: ['search', 'search_mv'],
  },
  {
    name: 'search as own block',
    about: 'search rows inserted apart, sorted beforehand',
    edits: [],
    without: ['search_mv'],
    ownSearch: true,
  },
  {
    name: 'search half id',
    about: 'upper 32 bits of trace_lo in search',
    edits: [
      [LO_IN_SEARCH, LO_IN_SEARCH.replace('UInt64', 'UInt32')],
      [
        SEARCH_SELECT,
        SEARCH_SELECT.replace('trace_lo', 'toUInt32(bitShiftRight(trace_lo, 32)) AS trace_lo'),
      ],
    ],
  },
  {
    name: 'search kv16',
    about: '16-bit key=value hashes in search',
    edits: [
      [LO_IN_SEARCH, `  kv16 Array(UInt16) CODEC(ZSTD(1)),\n${LO_IN_SEARCH}`],
      [
        SEARCH_SELECT,
        SEARCH_SELECT.replace(
          'trace_lo',
          `arrayConcat(${MAPS.map(kv16Of).join(', ')}) AS kv16, trace_lo`,
        ),
      ],
    ],
  },
  {
    name: 'no summaries',
    about: 'what trace_summaries cost',
    edits: [],
    without: ['trace_summaries', 'trace_summaries_mv'],
  },
  {
    name: 'bloom on trace_lo',
    about: 'instead of trace_summaries',
    edits: [
      ['  INDEX kv ', '  INDEX lo trace_lo TYPE bloom_filter(0.01) GRANULARITY 1,\n  INDEX kv '],
    ],
    without: ['trace_summaries', 'trace_summaries_mv'],
  },
  { name: 'no op_kv index', about: 'what it costs', edits: [], dropIndexes: ['op_kv'] },
  { name: 'no kv indexes', about: 'what both cost', edits: [], dropIndexes: ['op_kv', 'kv'] },
  { name: 'kv granularity 1', about: 'both indexes', edits: [['GRANULARITY 4', 'GRANULARITY 1']] },
  { name: 'kv granularity 8', about: 'both indexes', edits: [['GRANULARITY 4', 'GRANULARITY 8']] },
  {
    name: 'kv 5 %',
    about: 'false positives, both indexes',
    edits: [
      [KV_END, KV_END.replace('0.01', '0.05')],
      [OP_KV_END, OP_KV_END.replace('0.025', '0.05')],
    ],
  },
  {
    name: 'maps ZSTD(1)',
    about: '',
    edits: [
      [
        'attr_s Map(LowCardinality(String), String) CODEC(ZSTD(3))',
        'attr_s Map(LowCardinality(String), String) CODEC(ZSTD(1))',
      ],
    ],
  },
  {
    name: 'number maps ZSTD(3)',
    about: '',
    edits: [
      [MAP_I, MAP_I.replace('1', '3')],
      [MAP_D, MAP_D.replace('1', '3')],
    ],
  },
  {
    name: 'bucketed maps',
    about: 'map_serialization_version with_buckets, 8 buckets',
    edits: [
      [
        SPANS_SETTINGS,
        `${SPANS_SETTINGS}, map_serialization_version = 'with_buckets', ` +
          "max_buckets_in_map = 8, map_buckets_strategy = 'constant', map_buckets_min_avg_size = 1",
      ],
    ],
  },
  {
    name: 'granule 2048',
    about: '',
    edits: [['index_granularity = 1024', 'index_granularity = 2048']],
  },
  {
    name: 'granule 4096',
    about: '',
    edits: [['index_granularity = 1024', 'index_granularity = 4096']],
  },
  {
    name: 'granule 8192',
    about: '',
    edits: [['index_granularity = 1024', 'index_granularity = 8192']],
  },
  {
    name: 'bucket 1 min',
    about: '',
    edits: [[FIVE, 'toStartOfMinute(ts)']],
    bucket: 'toStartOfMinute(ts)',
  },
  {
    name: 'bucket 15 min',
    about: '',
    edits: [[FIVE, 'toStartOfFifteenMinutes(ts)']],
    bucket: 'toStartOfFifteenMinutes(ts)',
  },
  {
    name: 'bucket 60 min',
    about: '',
    edits: [[FIVE, 'toStartOfHour(ts)']],
    bucket: 'toStartOfHour(ts)',
  },
  {
    name: 'parent ids LZ4',
    about: '',
    edits: [['parent_id UInt64 CODEC(ZSTD(1))', 'parent_id UInt64 CODEC(LZ4)']],
  },
  {
    name: 'times DoubleDelta',
    about: '',
    edits: [['CODEC(Delta(8), ZSTD(1))', 'CODEC(DoubleDelta, ZSTD(1))']],
  },
  { name: 'times LZ4', about: '', edits: [['CODEC(Delta(8), ZSTD(1))', 'CODEC(Delta(8), LZ4)']] },
  { name: 'durations without T64', about: '', edits: [['CODEC(T64, ZSTD(1))', 'CODEC(ZSTD(1))']] },
  {
    name: 'resource ids LowCardinality',
    about: 'resource and scope ids as dictionaries',
    edits: [
      [
        '  resource_id UInt64 CODEC(ZSTD(1))',
        '  resource_id LowCardinality(UInt64) CODEC(ZSTD(1))',
      ],
      ['  scope_id UInt64 CODEC(ZSTD(1))', '  scope_id LowCardinality(UInt64) CODEC(ZSTD(1))'],
    ],
  },
  {
    name: 'views in parallel',
    about: 'parallel_view_processing',
    edits: [],
    insertSettings: 'parallel_view_processing = 1, max_threads = 2, max_insert_threads = 2',
  },
  {
    name: 'without rare columns',
    about: 'no attr_x, links, rest, status_message, flags',
    edits: [
      ['attr_b, attr_x, events, links,\n  rest, event_kv', 'attr_b, events, event_kv'],
      ['status,\n  status_message, flags, resource_id', 'status, resource_id'],
    ],
    dropColumns: ['status_message', 'flags', 'attr_x', 'links', 'rest'],
  },
];

/**
 * The statements that make `variant` in database `db`; engines without replication, retention for
 * ever.
 */
export function statements(variant: Variant, db: string): readonly string[] {
  const file = path.join(import.meta.dirname, '../../storage/clickhouse/schema/0001_spans.sql');
  let sql = readFileSync(file, 'utf8');
  for (const [from, to] of variant.edits) {
    if (!sql.includes(from))
      throw new Error(`Variant ${variant.name}: the schema has no "${from}".`);
    sql = sql.replaceAll(from, to);
  }
  const filled = fillIn(sql, {
    db,
    on_cluster: '',
    retention_days: '20000',
    MergeTree: 'MergeTree',
    AggregatingMergeTree: 'AggregatingMergeTree',
    ReplacingMergeTree: 'ReplacingMergeTree',
  });
  const bare = filled.replaceAll(/^\s*--.*$/gm, '').replaceAll(/ -- .*$/gm, '');
  const all = bare.split(/;\s*$/m).map((one) => one.trim());
  const left = variant.without ?? [];
  const kept = all.filter((one) => !left.some((name) => one.includes(`EXISTS ${db}.${name} `)));
  if (all.length - kept.length !== left.length)
    throw new Error(`${variant.name}: wrong "without".`);
  for (const index of variant.dropIndexes ?? []) {
    kept.push(`ALTER TABLE ${db}.spans DROP INDEX ${index}`);
  }
  for (const column of variant.dropColumns ?? []) {
    kept.push(`ALTER TABLE ${db}.spans DROP COLUMN ${column}`);
  }
  return kept.filter((one) => one !== '');
}

export function bucketOf(variant: Variant): string {
  return variant.bucket ?? FIVE;
}
