// Big traces: 10,000 and 100,000 spans from the store to Jaeger's JSON; CPU of this thread, the
// longest time without a pause, and memory beyond the rows.
//
//   npm run bench -- big-traces [--runs 5]
//
// The rival is the same with all spans as objects first, as it was before. CPU seconds of the one
// thread that serves, so a busy machine matters little; the engine is a process of its own.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Span } from '../model/span.ts';
import { traceJson } from '../query/api/jaeger/trace_json.ts';
import { getTraces, readTraces, traceKeyOf } from '../query/get.ts';
import { asStored, type StoredTrace } from '../query/stored_trace.ts';
import { blocksOf } from '../query/testing/engine.ts';
import {
  attributesOf,
  eventOf,
  NOON,
  resourceOf,
  scopeOf,
  spanOf,
  traceId,
} from '../query/testing/spans.ts';
import { ClickHouseSpanStore } from '../storage/clickhouse/insert.ts';
import { migrate } from '../storage/clickhouse/migrate.ts';
import { makeSelect, type Select } from '../storage/clickhouse/select.ts';
import type { TraceKey } from '../storage/clickhouse/statement.ts';
import { startEmbedded } from '../storage/embedded/supervisor.ts';
import { type Figure, median, writeReport } from './report.ts';

const SIZES = [10_000, 100_000] as const;
const CPU_MS_GOAL = 150;
const STALL_MS_GOAL = 50;
const INSERT_SPANS = 10_000;
const MIB = 1024 * 1024;

type Read = (select: Select, keys: TraceKey[]) => AsyncGenerator<StoredTrace, void>;

const FORMS: Readonly<Record<string, Read>> = {
  'columns, a span at a time': (select, keys) => readTraces(select, 'default', keys),
  'all spans as objects': (select, keys) => asStored(getTraces(select, 'default', keys)),
};

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { runs: { type: 'string', default: '5' } } });
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'spanhouse-bench-big-'));
  const engine = await startEmbedded({ dataDir });
  try {
    const client = await engine.access.ingest();
    await migrate({ client, database: engine.access.database, retentionDays: 3650 });
    const store = new ClickHouseSpanStore(engine.access);
    for (const [n, size] of SIZES.entries()) {
      for (let from = 0; from < size; from += INSERT_SPANS) {
        for (const block of blocksOf(spansOf(n, from, from + INSERT_SPANS), 'default')) {
          const token = createHash('sha256').update(block.native).digest('hex');
          await store.insert({ ...block, token });
        }
      }
    }
    const figures: Figure[] = [];
    for (const [n, size] of SIZES.entries()) {
      for (const [form, read] of Object.entries(FORMS)) {
        figures.push(
          await measure(makeSelect(engine.access), n, size, form, read, Number(values.runs)),
        );
      }
    }
    const of = (at: number, name: string): number => Number(figures[at]?.[name]);
    await writeReport({
      name: 'big-traces',
      parameters: { runs: Number(values.runs) },
      figures,
      ratios: {
        'CPU, columns / objects, 100,000 spans': of(2, 'cpuMs') / of(3, 'cpuMs'),
        'memory beyond the answer, columns / objects': of(2, 'beyondMiB') / of(3, 'beyondMiB'),
      },
    });
  } finally {
    await engine.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Twelve attributes each, as OpenTelemetry's HTTP spans have; 40 services. */
function spansOf(trace: number, from: number, to: number): Span[] {
  const id = (n: number): string => (n + 1).toString(16).padStart(16, '0');
  return Array.from({ length: to - from }, (_, i) => {
    const n = from + i;
    const service = `service-${n % 40}`;
    return spanOf({
      traceId: traceId(trace),
      spanId: id(n),
      parentSpanId: n === 0 ? '' : id(Math.floor((n - 1) / 6)),
      service,
      resource: resourceOf(service, { 'k8s.pod.name': `${service}-7d9f`, 'host.arch': 'amd64' }),
      scope: scopeOf('io.opentelemetry.http', '1.2'),
      name: `GET /api/items/${n % 100}`,
      startUnixNanos: NOON + BigInt(n) * 10_000n,
      attributes: attributesOf({
        'http.request.method': 'GET',
        'http.response.status_code': 200n,
        'http.route': `/api/items/${n % 100}`,
        'url.full': `https://shop.example/api/items/${n}?page=${n % 7}&sort=price`,
        'server.address': 'shop.example',
        'server.port': 443n,
        'client.address': `10.0.${n % 256}.${n % 199}`,
        'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101',
        'network.protocol.version': '1.1',
        'thread.id': BigInt(n % 64),
        'app.sampled': n % 2 === 0,
        'app.ratio': n / 7,
      }),
      events: n % 10 === 0 ? [eventOf('cache miss', { key: `item-${n}` })] : [],
    });
  });
}

async function measure(
  select: Select,
  trace: number,
  spans: number,
  form: string,
  read: Read,
  runs: number,
): Promise<Figure> {
  const all = [];
  // The first one warms up.
  for (let run = 0; run <= runs; run++)
    all.push(await serve(select, traceKeyOf(traceId(trace))!, read));
  const taken = all.slice(1);
  const of = (name: 'cpuMs' | 'stallMs' | 'beyondMiB') => median(taken.map((one) => one[name]));
  const [cpuMs, stallMs] = [of('cpuMs'), of('stallMs')];
  const isMet = stallMs <= STALL_MS_GOAL && (spans > 10_000 || cpuMs <= CPU_MS_GOAL);
  return {
    spans,
    form,
    cpuMs,
    stallMs,
    answerMiB: taken[0]!.answerMiB,
    beyondMiB: of('beyondMiB'),
    jsonMiB: taken[0]!.jsonMiB,
    goal: `${isMet ? 'met' : 'MISSED'}: stall ${STALL_MS_GOAL}${spans > 10_000 ? '' : `, CPU ${CPU_MS_GOAL}`}`,
  };
}

async function serve(select: Select, key: TraceKey, read: Read) {
  await setImmediate();
  globalThis.gc?.();
  const watch = new Watch();
  let [answerBytes, jsonBytes] = [0, 0];
  const counted: Select = (statement, signal, onBytes) =>
    select(statement, signal, (bytes) => {
      answerBytes += bytes;
      onBytes?.(bytes);
    });
  for await (const trace of read(counted, [key])) {
    for await (const piece of traceJson(trace, { raw: false, clockSkewNanosMax: 0n })) {
      jsonBytes += piece.length;
      // As a socket would: the piece goes out, and others have their turn.
      await setImmediate();
      watch.look();
    }
  }
  const { cpuMs, stallMs, peakBytes } = watch.end();
  return {
    cpuMs,
    stallMs,
    answerMiB: answerBytes / MIB,
    beyondMiB: (peakBytes - answerBytes) / MIB,
    jsonMiB: jsonBytes / MIB,
  };
}

/** CPU of this thread between two turns of the loop; live memory, as the collector leaves it. */
class Watch {
  readonly #startMs = threadCpuMs();
  readonly #startBytes = liveBytes();
  #last = this.#startMs;
  #stallMs = 0;
  #peakBytes = 0;
  readonly #timer = setInterval(() => this.#turn(), 0);

  /** Collects first where that can be done, so that garbage does not count (node --expose-gc). */
  look(): void {
    if (globalThis.gc === undefined || this.#peakBytes > 0) return;
    const before = threadCpuMs();
    globalThis.gc();
    this.#peakBytes = liveBytes() - this.#startBytes;
    this.#last += threadCpuMs() - before;
    this.#gcMs += threadCpuMs() - before;
  }

  #gcMs = 0;

  #turn(): void {
    const now = threadCpuMs();
    this.#stallMs = Math.max(this.#stallMs, now - this.#last);
    this.#last = now;
  }

  end(): { cpuMs: number; stallMs: number; peakBytes: number } {
    clearInterval(this.#timer);
    const cpuMs = threadCpuMs() - this.#startMs - this.#gcMs;
    return { cpuMs, stallMs: this.#stallMs, peakBytes: this.#peakBytes };
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function liveBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

if (import.meta.main) await run(process.argv.slice(2));
