// For tests: the engine in this process with our schema, filled with spans as a sender sends them
// (OTLP bytes through the slow transcoder), and read through the statements that production runs.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { encodeSpans } from '../../model/codec/otlp/encode.ts';
import { transcodeTwin } from '../../model/codec/otlp/twin.ts';
import { DEFAULT_TENANT } from '../../model/limits.ts';
import type { Span } from '../../model/span.ts';
import { readNative } from '../../storage/clickhouse/native_reader.ts';
import type { Select } from '../../storage/clickhouse/select.ts';

const SCHEMA = new URL('../../storage/clickhouse/schema/', import.meta.url);

export interface TestEngine {
  readonly select: Select;
  /** Each call is one insert of its own, as one request is. Throws where a span is rejected. */
  insert(spans: readonly Span[], tenant?: string): void;
  /** Statements that ran since the last call. */
  takeStatements(): string[];
  /** Text of a result, for statements of a test's own. */
  query(sql: string): string;
  close(): void;
}

export function openTestEngine(): TestEngine {
  const directory = mkdtempSync(join(tmpdir(), 'spanhouse-query-'));
  const session = new Session(join(directory, 'db'));
  session.query('CREATE DATABASE spanhouse');
  session.query('USE spanhouse');
  for (const sql of schemaStatements()) session.query(sql);
  const statements: string[] = [];
  return {
    select: async (statement, _signal, onBytes) => {
      statements.push(statement.sql);
      const result = await session.queryBindAsync(
        statement.sql + settingsText(statement.settings ?? {}),
        { ...statement.params, db: 'spanhouse' },
        { format: 'Native' },
      );
      onBytes?.(result.bytes().length);
      return readNative(new Uint8Array(result.bytes()));
    },
    insert: (spans, tenant = DEFAULT_TENANT) => {
      const path = join(directory, 'block.native');
      for (const { native } of blocksOf(spans, tenant)) {
        writeFileSync(path, native);
        session.query(`INSERT INTO spans_in SELECT * FROM file('${path}', 'Native')`);
      }
    },
    takeStatements: () => statements.splice(0),
    query: (sql) => String(session.query(sql, 'TSV')),
    close: () => {
      session.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function settingsText(settings: Readonly<Record<string, number>>): string {
  const list = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return list.length === 0 ? '' : `\nSETTINGS ${list.join(', ')}`;
}

/** The blocks of one request. Throws where a span is rejected. */
export function blocksOf(
  spans: readonly Span[],
  tenant: string,
): readonly { readonly native: Uint8Array; readonly rows: number }[] {
  const [newest = 0n] = spans.map((span) => span.startUnixNanos).sort((a, b) => (a < b ? 1 : -1));
  const record = { tenant, bytes: encodeSpans(spans), recordUnixNanos: newest };
  const { blocks, counts } = transcodeTwin([record], { maxAgeSeconds: 400 * 86_400 });
  if (counts.spans !== spans.length) {
    throw new Error(`Expected ${spans.length} spans to be kept, ${counts.spans} were.`);
  }
  return blocks;
}

function schemaStatements(): string[] {
  const files = readdirSync(SCHEMA)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return files.flatMap((name) =>
    readFileSync(new URL(name, SCHEMA), 'utf8')
      .replaceAll('{{db}}', 'spanhouse')
      .replaceAll('{{on_cluster}}', '')
      .replaceAll('{{retention_days}}', '3650')
      .replaceAll(/\{\{(\w*MergeTree)\}\}/g, '$1')
      .split(/;\n/)
      .filter((sql) => sql.replaceAll(/--.*$/gm, '').trim() !== ''),
  );
}
