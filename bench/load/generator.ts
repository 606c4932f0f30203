// The load generator's process: `node generator.ts <LoadOptions as JSON>`. Writes "ready", waits
// for a line on stdin, sends for the given time, writes a LoadResult as JSON. Alone in its process,
// so that its CPU is not taken for the server's.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type Corpus, openCorpus } from '../corpus.ts';
import { quantile } from '../report.ts';
import { openGrpcSenders } from './grpc_sender.ts';
import { openHttpSender } from './http_sender.ts';
import type { LoadOptions, LoadResult, Sender } from './options.ts';

/** After a refusal without a Retry-After: a stubborn client, but no busy loop. */
const RETRY_MS = 20;
/** A benchmark does not wait longer, whatever the server asks for. */
const RETRY_MS_MAX = 1000;

interface Parcel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly spans: number;
  giveBack(): void;
}

interface Tally {
  requests: number;
  spans: number;
  rejectedSpans: number;
  readonly latenciesMs: number[];
  readonly failures: Record<string, number>;
}

async function main(options: LoadOptions): Promise<void> {
  const corpus = await openCorpus(options);
  const next = options.protocol === 'http-gzip' ? compressAll(corpus) : () => corpus.borrow();
  const senders =
    options.protocol === 'grpc'
      ? openGrpcSenders(options)
      : Array.from({ length: options.senders }, () => openHttpSender(options));
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  const cpuBefore = process.cpuUsage();
  const tally: Tally = { requests: 0, spans: 0, rejectedSpans: 0, latenciesMs: [], failures: {} };
  const startMs = performance.now();
  const runs = senders.map((sender, i) => run(sender, i, next, options, startMs, tally));
  await Promise.all(runs);
  const wallSeconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  for (const sender of senders) sender.close();
  const result: LoadResult = {
    requests: tally.requests,
    spans: tally.spans,
    rejectedSpans: tally.rejectedSpans,
    wallSeconds,
    latencyP50Ms: quantile(tally.latenciesMs, 0.5),
    latencyP99Ms: quantile(tally.latenciesMs, 0.99),
    latencyMaxMs: quantile(tally.latenciesMs, 1),
    failures: tally.failures,
    generatorCpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.stdin.destroy();
}

/** One serial sender: the next request goes out when the last was answered. */
async function run(
  sender: Sender,
  number: number,
  next: () => Parcel,
  options: LoadOptions,
  startMs: number,
  tally: Tally,
): Promise<void> {
  const endMs = startMs + options.seconds * 1000;
  const rate = options.requestsPerSecond;
  const periodMs = rate === undefined ? 0 : (options.senders * 1000) / rate;
  let dueMs = startMs + (periodMs * number) / options.senders;
  for (;;) {
    if (periodMs > 0) await sleep(Math.max(0, dueMs - performance.now()));
    dueMs += periodMs;
    const sentMs = performance.now();
    if (sentMs >= endMs) return;
    const parcel = next();
    const outcome = await sender.send(parcel.bytes);
    parcel.giveBack();
    if (outcome.ok) {
      tally.latenciesMs.push(performance.now() - sentMs);
      tally.requests++;
      tally.spans += parcel.spans - outcome.rejected;
      tally.rejectedSpans += outcome.rejected;
    } else {
      tally.failures[outcome.failure] = (tally.failures[outcome.failure] ?? 0) + 1;
      await sleep(Math.min(RETRY_MS_MAX, outcome.retryAfterMs || RETRY_MS));
    }
  }
}

/**
 * Compressed bytes cannot be patched: each request is compressed once as of now, then sent again
 * and again.
 */
function compressAll(corpus: Corpus): () => Parcel {
  const parcels: Parcel[] = Array.from({ length: corpus.requests }, () => {
    const loan = corpus.borrow();
    const bytes = new Uint8Array(gzipSync(loan.bytes));
    loan.giveBack();
    return { bytes, spans: loan.spans, giveBack: () => undefined };
  });
  let turn = 0;
  return () => parcels[turn++ % parcels.length]!;
}

await main(JSON.parse(process.argv[2] ?? '{}') as LoadOptions);
