// Jaeger's protobuf and compact Thrift to OTLP bytes, beside the way of objects; then datagrams per
// second over a real socket, with what the kernel dropped.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { startJaegerUdp } from '../../collector/receivers/jaeger_udp.ts';
import { kernelDrops } from '../../collector/receivers/udp_drops.ts';
import { postSpansToOtlp } from '../../model/codec/jaeger/proto_batch.ts';
import {
  encodePostSpans,
  encodeThriftBatch,
} from '../../model/codec/jaeger/testing/jaeger_span.ts';
import { thriftToOtlp } from '../../model/codec/jaeger/thrift_to_otlp.ts';
import { loadTranscoder } from '../../model/codec/otlp/transcoder.ts';
import { MemoryBudget } from '../../service/memory_budget.ts';
import { numericFlags } from '../flags.ts';
import { measureInterleaved, type Work } from '../measure.ts';
import { type Figure, writeReport } from '../report.ts';
import { makeBatch, SPANS_PER_DATAGRAM } from './batches.ts';
import { compactByObjects, protoByObjects } from './objects_way.ts';

const SPANS_PER_BATCH = 100;
const BATCHES = 50;
const BYTES_MAX = 64 * 1024 * 1024;
const UDP_BUFFER_BYTES = 4 * 1024 * 1024;

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { rounds: 5, seconds: 1, packets: 20_000, udpSeconds: 5 });
  const batches = Array.from({ length: BATCHES }, (_, i) => makeBatch(SPANS_PER_BATCH, i));
  const protos = batches.map(encodePostSpans);
  const compacts = batches.map((batch) => encodeThriftBatch(batch, 'compact'));
  const measured = measureInterleaved(
    {
      proto: over(protos, (bytes) => postSpansToOtlp(bytes, BYTES_MAX)),
      'proto by objects': over(protos, protoByObjects),
      compact: over(compacts, (bytes) => thriftToOtlp(bytes, 'compact', BYTES_MAX)),
      'compact by objects': over(compacts, compactByObjects),
    },
    flags.rounds,
    flags.seconds,
  );
  const figures: Figure[] = Object.entries(measured).map(([what, figure]) => ({
    what,
    ...figure,
  }));
  const speed = (name: keyof typeof measured): number => measured[name].spansPerCpuSecond;
  figures.push(await udp(flags.packets, flags.udpSeconds));
  await writeReport({
    name: 'jaeger',
    parameters: { ...flags, spansPerBatch: SPANS_PER_BATCH, spansPerDatagram: SPANS_PER_DATAGRAM },
    figures,
    ratios: {
      'proto / by objects': speed('proto') / speed('proto by objects'),
      'compact / by objects': speed('compact') / speed('compact by objects'),
    },
  });
}

function over(requests: readonly Uint8Array[], translate: (bytes: Uint8Array) => unknown): Work {
  let turn = 0;
  return {
    once: () => {
      translate(requests[turn++ % requests.length] as Uint8Array);
      return SPANS_PER_BATCH;
    },
  };
}

/** The receiver with OTLP's check behind it and no store; the sender is a process of its own. */
async function udp(packets: number, seconds: number): Promise<Figure> {
  const transcoder = await loadTranscoder();
  const counts = new Map<string, number>();
  let spans = 0;
  const listener = await startJaegerUdp(
    {
      accept: async ({ bytes }) => {
        const checked = transcoder.check(bytes, BigInt(Date.now()) * 1_000_000n, 86_400);
        if (!checked.ok) throw new Error(checked.message);
        spans += checked.spans;
        return { spans: checked.spans, rejected: 0, message: '' };
      },
      budget: new MemoryBudget(UDP_BUFFER_BYTES * 64),
      bufferBytes: UDP_BUFFER_BYTES,
      receivedBytes: () => undefined,
      count: (outcome, count) => counts.set(outcome, (counts.get(outcome) ?? 0) + count),
      onBug: (error) => console.error(error),
    },
    { host: '127.0.0.1', port: 0, setting: 'bench' },
  );
  const before = process.cpuUsage();
  const sender = path.join(import.meta.dirname, 'sender.ts');
  const argv = [sender, listener.port, packets, seconds].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  const { sent, packetsPerSecond } = JSON.parse(stdout) as Record<string, number>;
  const { user, system } = process.cpuUsage(before);
  const drops = kernelDrops(listener.port);
  await listener.stop(1000);
  return {
    what: 'udp',
    spansPerCpuSecond: spans / ((user + system) / 1e6),
    packetsPerSecond: Math.round(packetsPerSecond ?? 0),
    sent: sent ?? 0,
    gathered: counts.get('ok') ?? 0,
    kernelDrops: drops,
  };
}
