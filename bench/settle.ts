// What it costs to settle: CPU seconds for a million spans, beside those of storing them, and what it
// saves whoever asks.
//
//   npm run bench -- settle [--rows 2100000] [--spans 300000]
//
// The last spans of the corpus of bench/storage, its peak, in an embedded engine of their own. CPU is of
// this process and the engine's, merges included. The same questions are asked before (from spans) and
// after (from settled numbers), so the one is the other's rival.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BLOCK_ROWS_MAX, DEFAULT_TENANT } from '../model/limits.ts';
import { listDependencies, listZipkinLinks } from '../query/dependencies.ts';
import { computeSpm } from '../query/spm.ts';
import type { ClickHouseAccess } from '../storage/clickhouse/client.ts';
import { ClickHouseSpanStore } from '../storage/clickhouse/insert.ts';
import { migrate } from '../storage/clickhouse/migrate.ts';
import { makeSelect, type Select } from '../storage/clickhouse/select.ts';
import { BUCKET_SECONDS } from '../storage/clickhouse/settled/buckets.ts';
import { SettleStore } from '../storage/clickhouse/settled/settle_store.ts';
import { startEmbedded } from '../storage/embedded/supervisor.ts';
import { readProcessTree, totalCpuSeconds } from './load/process_tree.ts';
import { type Figure, writeReport } from './report.ts';
import { type Corpus, openCorpus } from './storage/corpus.ts';

const DAY_MS = 86_400_000;
const ASK_RUNS = 5;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '2100000' },
      spans: { type: 'string', default: '300000' },
    },
  });
  const corpus = await openCorpus(Number(values.rows));
  const folder = await mkdtemp(path.join(os.tmpdir(), 'spanhouse-bench-settle-'));
  const engine = await startEmbedded({ dataDir: path.join(folder, 'data') });
  try {
    const figures: Figure[] = [];
    const { access } = engine;
    const stored = await cpu(() => fill(access, corpus, Number(values.spans)));
    const spans = stored.result;
    const select = makeSelect(access);
    const [first, last] = await windowOf(select);
    const before = await ask(select, first, last);
    const store = new SettleStore(access);
    const settled = await cpu(() => settleAll(store));
    const after = await ask(select, first, last);
    const perMillion = (seconds: number): number => (seconds / spans) * 1e6;
    figures.push(
      { what: 'storing', cpuSecondsPerMillionSpans: perMillion(stored.seconds) },
      { what: 'settling', cpuSecondsPerMillionSpans: perMillion(settled.seconds) },
    );
    const ratios: Record<string, number> = {
      'settling / storing': settled.seconds / stored.seconds,
    };
    for (const [what, seconds] of before) {
      const settledSeconds = after.get(what) ?? Number.NaN;
      figures.push({ what, fromSpansCpuMs: seconds * 1000, settledCpuMs: settledSeconds * 1000 });
      ratios[`${what}: from spans / settled`] = seconds / settledSeconds;
    }
    const parameters = { spans, buckets: settled.result, minutes: (last - first) / 60 };
    await writeReport({ name: 'settle', parameters, figures, ratios });
  } finally {
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function cpu<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = totalCpuSeconds(readProcessTree(process.pid));
  const result = await work();
  return { result, seconds: totalCpuSeconds(readProcessTree(process.pid)) - start };
}

/** The last blocks but one, and the merges that follow; how many spans there are. */
async function fill(access: ClickHouseAccess, corpus: Corpus, spans: number): Promise<number> {
  const client = await access.ingest();
  await migrate({ client, database: access.database, retentionDays: 3650 });
  const store = new ClickHouseSpanStore(access);
  // The last one is not full, and holds what is spread over days.
  const files = corpus.files.slice(0, -1).slice(-Math.ceil(spans / BLOCK_ROWS_MAX));
  for (const file of files) {
    const native = await readFile(file);
    await store.insert({ native, rows: BLOCK_ROWS_MAX, token: path.basename(file) });
  }
  await new Promise((resolve) => setTimeout(resolve, 5000));
  return files.length * BLOCK_ROWS_MAX;
}

async function settleAll(store: SettleStore): Promise<number> {
  const nowUnixMs = await store.nowUnixMs();
  const { buckets } = await store.due(nowUnixMs + DAY_MS, 0, 1000);
  for (const bucket of buckets) {
    await store.settle(bucket, { nowUnixMs: await store.nowUnixMs(), marginMs: 0 });
  }
  return buckets.length;
}

/** Unix seconds: the ten densest minutes as whole buckets. */
async function windowOf(select: Select): Promise<[number, number]> {
  const sql = `SELECT toUnixTimestamp(max(b)) AS last FROM (
  SELECT toStartOfFiveMinutes(ts) AS b, count() AS n FROM {db:Identifier}.spans GROUP BY b
  ORDER BY n DESC LIMIT 2)`;
  for (const block of await select({ sql, params: {} })) {
    const last = block.numbers('last')[0] ?? 0;
    return [last - BUCKET_SECONDS, last + BUCKET_SECONDS];
  }
  throw new Error('Expected spans in the store, found none.');
}

/** CPU seconds of one answer to each question, the first one not counted. */
async function ask(select: Select, first: number, last: number): Promise<Map<string, number>> {
  const window = {
    fromUnixNanos: BigInt(first) * 1_000_000_000n,
    toUnixNanos: BigInt(last) * 1_000_000_000n - 1n,
  };
  const service = await busiestService(select);
  const spm = {
    ...{ tenant: DEFAULT_TENANT, services: [service], kinds: [2 as const], byOperation: true },
    ...{ startUnixMs: (first + 300) * 1000, endUnixMs: last * 1000, stepMs: 60_000 },
    ...{ ratePerMs: 300_000, quantile: 0.95, metric: 'latencies' as const },
  };
  const questions: Record<string, () => Promise<unknown>> = {
    'dependencies, Jaeger': () => listDependencies(select, { tenant: DEFAULT_TENANT, ...window }),
    'dependencies, Zipkin': () => listZipkinLinks(select, DEFAULT_TENANT, window),
    'p95 by operation': async () => {
      const { series } = await computeSpm(select, spm);
      return await Array.fromAsync(series);
    },
  };
  const took = new Map<string, number>();
  for (const [what, question] of Object.entries(questions)) {
    await question();
    const { seconds } = await cpu(async () => {
      for (let i = 0; i < ASK_RUNS; i++) await question();
    });
    took.set(what, seconds / ASK_RUNS);
  }
  return took;
}

async function busiestService(select: Select): Promise<string> {
  const sql = `SELECT toString(service) AS service FROM {db:Identifier}.spans
GROUP BY service ORDER BY count() DESC LIMIT 1`;
  for (const block of await select({ sql, params: {} })) return block.strings('service').at(0);
  throw new Error('Expected spans in the store, found none.');
}
