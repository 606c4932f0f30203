// Contributions: the critical paths of 20,000 traces, from HTTP request to last byte, and what of it
// reading and analysing are.
//
//   npm run bench -- contributions [--rows 5000000] [--fresh]
//
// The corpus of bench/storage in an embedded engine, as for `search`. The first answer is given apart:
// the engine has just started, and has read nothing yet. The rival of the analysis is the same as
// one would write it first, with objects, maps and BigInts (model/analysis/testing/naive.ts).

import { readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Analyzer } from '../../model/analysis/analyze.ts';
import { Contributions } from '../../model/analysis/contributions.ts';
import type { Skeletons } from '../../model/analysis/skeletons.ts';
import { analyzeNaively } from '../../model/analysis/testing/naive.ts';
import type { LooseSpan } from '../../model/analysis/testing/random_traces.ts';
import { findTraces } from '../../query/find.ts';
import { traceKeyOf } from '../../query/get.ts';
import { startQuery } from '../../query/server.ts';
import { silentLog } from '../../service/log.ts';
import { Metrics } from '../../service/metrics.ts';
import { makeSelect, type Select } from '../../storage/clickhouse/select.ts';
import { readSkeletons } from '../../storage/clickhouse/skeletons.ts';
import type { Embedded } from '../../storage/embedded/supervisor.ts';
import { measureInterleaved } from '../measure.ts';
import { type Figure, quantile, writeReport } from '../report.ts';
import { openFilled } from '../search/fill.ts';
import { openCorpus } from '../storage/corpus.ts';

/** For 20,000 traces. */
const ANSWER_MS = 2000;
const SKELETONS_MS = 150;
const SPANS_PER_CPU_SECOND = 1_000_000;
const TRACES = 20_000;
const RUNS = 7;
const DAY_NANOS = 86_400_000_000_000n;
/** 2026-11-20 00:00:00 UTC, where the corpus ends (bench/storage/corpus_keys.sql). */
const END = 1_795_132_800n * 1_000_000_000n;
/** The clock of /proc/<pid>/stat on Linux. */
const TICK_MS = 10;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '5000000' },
      fresh: { type: 'boolean', default: false },
    },
  });
  const corpus = await openCorpus(Number(values.rows));
  // Closed and opened again, so that the first answer is a first one.
  await (await openFilled(corpus, values.fresh)).stop();
  const engine = await openFilled(corpus, false);
  try {
    const select = makeSelect(engine.access);
    const figures: Figure[] = [...(await timeAnswers(engine, select))];
    const parts: Skeletons[] = [];
    figures.push(await timeReading(engine, select, parts));
    const { figure, ratio } = timeAnalysis(parts);
    figures.push(...figure);
    await writeReport({
      name: 'contributions',
      parameters: { rows: corpus.rows, traces: corpus.traces, cohort: TRACES },
      figures,
      ratios: { 'analysis on columns / with objects': ratio },
    });
  } finally {
    await engine.stop();
  }
}

/** The service of which most traces have a span, so that a cohort is full. */
async function busiestService(select: Select): Promise<string> {
  const sql = `SELECT service, uniq(trace_lo) AS traces FROM {db:Identifier}.search
WHERE tenant = 'default' GROUP BY service ORDER BY traces DESC, service LIMIT 1`;
  for (const block of await select({ sql, params: {} })) return block.strings('service').at(0);
  throw new Error('Expected a corpus with spans.');
}

async function timeAnswers(engine: Embedded, select: Select): Promise<Figure[]> {
  const service = await startQuery({
    access: engine.access,
    listen: { host: '127.0.0.1', port: 0, setting: 'listen.query' },
    log: silentLog,
    metrics: new Metrics(),
  });
  const name = await busiestService(select);
  const ask = async (run: number): Promise<string> => {
    const end = END - BigInt(run) * 1_000_000_000n;
    const window = { start: `${(end - DAY_NANOS) / 1000n}`, end: `${end / 1000n}` };
    const query = new URLSearchParams({ service: name, ...window });
    const url = `http://127.0.0.1:${service.port}/api/x/contributions?${query}`;
    const response = await fetch(url);
    if (response.status !== 200) throw new Error(`Expected 200, got ${response.status}.`);
    return await response.text();
  };
  try {
    const cold = await time(engine, 1, 'answer, first', ANSWER_MS, () => ask(RUNS));
    const warm = await time(engine, RUNS, 'answer, warm', ANSWER_MS, ask);
    const { cohort } = JSON.parse(await ask(0)) as { cohort: { analysed: number; spans: number } };
    return [cold, warm].map((figure) => ({
      ...figure,
      traces: cohort.analysed,
      spans: cohort.spans,
    }));
  } finally {
    await service.stop(1000);
  }
}

async function timeReading(engine: Embedded, select: Select, parts: Skeletons[]): Promise<Figure> {
  const service = await busiestService(select);
  const window = { startUnixNanos: END - DAY_NANOS, endUnixNanos: END };
  const query = { tenant: 'default', service, ...window, tags: [], order: 'newest' } as const;
  const found = await findTraces(select, { ...query, limit: TRACES });
  const keys = found.map(({ traceId }) => traceKeyOf(traceId)!);
  const days = { first: Number(END / DAY_NANOS) - 2, last: Number(END / DAY_NANOS) + 1 };
  const figure = await time(engine, RUNS, 'skeletons alone', SKELETONS_MS, async () => {
    parts.length = 0;
    for await (const part of readSkeletons(select, { tenant: 'default', keys, days })) {
      parts.push(part);
    }
  });
  const spans = parts.reduce((sum, part) => sum + part.rows.kind.length, 0);
  return { ...figure, traces: found.length, spans };
}

async function time(
  engine: Embedded,
  runs: number,
  question: string,
  goalMs: number,
  ask: (run: number) => Promise<unknown>,
): Promise<Figure> {
  const tookMs: number[] = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const [ours, theirsMs] = [process.cpuUsage(), await engineCpuMs(engine)];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await ask(run);
    tookMs.push(performance.now() - start);
  }
  const used = process.cpuUsage(ours);
  delay.disable();
  const p50Ms = quantile(tookMs, 0.5);
  return {
    question,
    p50Ms,
    slowestMs: Math.max(...tookMs),
    oursCpuMs: (used.user + used.system) / 1000 / runs,
    engineCpuMs: ((await engineCpuMs(engine)) - theirsMs) / runs,
    longestStallMs: delay.max / 1e6,
    goal: `${p50Ms <= goalMs ? 'met' : 'MISSED'}: ${goalMs}`,
  };
}

async function engineCpuMs({ pid }: Embedded): Promise<number> {
  const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS;
}

/** Of the same traces, in turns. */
function timeAnalysis(parts: readonly Skeletons[]): { figure: Figure[]; ratio: number } {
  const objects = parts.slice(0, 1).flatMap(objectsOf);
  const analyzer = new Analyzer();
  const columns = (add: boolean) => () => {
    const all = new Contributions();
    let spans = 0;
    for (const part of parts) {
      for (let trace = 0; trace < part.ends.length; trace++) {
        const found = analyzer.analyze(part, trace);
        if (add) all.add(part, found, trace);
        spans += found.count;
      }
    }
    return spans;
  };
  const naive = () => {
    let spans = 0;
    for (const trace of objects) spans += analyzeNaively(trace).spans.length;
    return spans;
  };
  const contenders = {
    'analysis on columns': { once: columns(false) },
    'and added up': { once: columns(true) },
    'analysis with objects': { once: naive },
  };
  const speeds = measureInterleaved(contenders, 5, 1);
  const figure = Object.entries(speeds).map(([question, { spansPerCpuSecond }]) => ({
    question,
    spansPerCpuSecond,
    goal: question.endsWith('objects')
      ? ''
      : `${spansPerCpuSecond >= SPANS_PER_CPU_SECOND ? 'met' : 'MISSED'}: ${SPANS_PER_CPU_SECOND}`,
  }));
  const [ours, theirs] = [speeds['analysis on columns'], speeds['analysis with objects']];
  return { figure, ratio: ours.spansPerCpuSecond / theirs.spansPerCpuSecond };
}

function objectsOf({ ends, rows, texts }: Skeletons): LooseSpan[][] {
  return Array.from(ends, (end, trace) => {
    const from = ends[trace - 1] ?? 0;
    return Array.from({ length: end - from }, (_, i): LooseSpan => {
      const row = from + i;
      return {
        spanId: rows.spanId[row]!,
        parentId: rows.parentId[row]!,
        h: rows.h[row]!,
        start: rows.startUnixNanos[row]!,
        duration: rows.durationNanos[row]!,
        service: texts.at(rows.service[row]!),
        name: texts.at(rows.name[row]!),
        kind: rows.kind[row]!,
      };
    });
  });
}

if (import.meta.main) await run(process.argv.slice(2));
