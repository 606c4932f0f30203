// The layouts that are compared: each is the real schema (storage/clickhouse/schema/0001_spans.sql) with a
// few edits. An edit whose text is no longer there throws, so that no variant silently equals the schema.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fillIn } from './corpus.ts';

export interface Variant {
  readonly name: string;
  /** What the edits do, for the table's reader. */
  readonly about: string;
  /** [text in the schema, its replacement]; every occurrence is replaced. */
  readonly edits: readonly (readonly [string, string])[];
  /** Added to every insert. */
  readonly insertSettings?: string;
  /** How a bucket of `ts` is written in the key, where not five minutes. */
  readonly bucket?: string;
}

const FIVE = 'toStartOfFiveMinutes(ts)';

export const VARIANTS: readonly Variant[] = [
  { name: 'schema', about: 'the schema as it stands', edits: [] },
];

/** The statements that make `variant` in database `db`; engines without replication, retention for ever. */
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
  return bare
    .split(/;\s*$/m)
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

export function bucketOf(variant: Variant): string {
  return variant.bucket ?? FIVE;
}
