// Jaeger's datagrams over a real socket: what a second of them costs, and what the kernel dropped
// since nobody read in time. The sender is a process of its own.

import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import path from 'node:path';
import { promisify } from 'node:util';
import { startJaegerUdp } from '../../collector/receivers/jaeger_udp.ts';
import { kernelDrops } from '../../collector/receivers/udp/drops.ts';
import { loadTranscoder, type Transcoder } from '../../model/codec/otlp/transcoder.ts';
import { MemoryBudget } from '../../service/memory_budget.ts';
import { numericFlags } from '../flags.ts';
import { SPANS_PER_DATAGRAM } from '../jaeger/batches.ts';
import { messageByObjects } from '../jaeger/objects_way.ts';
import { type Figure, writeReport } from '../report.ts';

/** The setting's default; net.core.rmem_max may make less of it. */
const DEFAULT_BUFFER_BYTES = 4 * 1024 * 1024;

/** What is left of that where net.core.rmem_max has not been raised. */
const STOCK_BUFFER_BYTES = 212_992;

const MEMORY_BYTES = 256 * 1024 * 1024;
const AGE_SECONDS = 86_400;
const NANOS_PER_MS = 1_000_000n;

/** A receiver that has a port and counts what it has taken. */
interface Receiver {
  readonly port: number;
  readonly spans: () => number;
  readonly stop: () => Promise<void>;
}

export async function run(args: string[]): Promise<void> {
  const flags = numericFlags(args, { packets: 20_000, seconds: 5, rounds: 3 });
  const transcoder = await loadTranscoder();
  const contenders: Readonly<Record<string, () => Promise<Receiver>>> = {
    ours: () => ours(transcoder, DEFAULT_BUFFER_BYTES),
    'ours, stock rmem_max': () => ours(transcoder, STOCK_BUFFER_BYTES),
    'by objects': () => byObjects(transcoder),
  };
  const figures: Figure[] = [];
  const microsPerDatagram = new Map<string, number>();
  for (let round = 1; round <= flags.rounds; round++) {
    for (const [what, open] of Object.entries(contenders)) {
      const { micros, ...figure } = await measure(await open(), flags.packets, flags.seconds);
      figures.push({ what, round, ...figure, microsPerDatagram: micros });
      const best = microsPerDatagram.get(what) ?? Number.POSITIVE_INFINITY;
      microsPerDatagram.set(what, Math.min(best, micros));
    }
  }
  const cost = (what: string): number => microsPerDatagram.get(what) ?? Number.NaN;
  await writeReport({
    name: 'udp',
    parameters: { ...flags, spansPerDatagram: SPANS_PER_DATAGRAM },
    figures,
    ratios: { 'datagrams per CPU-second, ours / by objects': cost('by objects') / cost('ours') },
  });
}

async function measure(receiver: Receiver, packets: number, seconds: number) {
  const before = process.cpuUsage();
  const sender = path.join(import.meta.dirname, 'sender.ts');
  const argv = [sender, receiver.port, packets, seconds].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  const { sent = 0, packetsPerSecond = 0 } = JSON.parse(stdout) as Record<string, number>;
  const kernelDropped = kernelDrops(receiver.port);
  await receiver.stop();
  const { user, system } = process.cpuUsage(before);
  const datagrams = receiver.spans() / SPANS_PER_DATAGRAM;
  return {
    packetsPerSecond: Math.round(packetsPerSecond),
    sent,
    stored: datagrams,
    kernelDropped,
    coresUsed: (user + system) / 1e6 / seconds,
    micros: (user + system) / datagrams,
  };
}

/** The receiver with OTLP's check behind it and no store. */
async function ours(transcoder: Transcoder, bufferBytes: number): Promise<Receiver> {
  let spans = 0;
  const { bound, stop } = await startJaegerUdp(
    {
      accept: ({ bytes }) => {
        const stored = check(transcoder, bytes);
        spans += stored;
        return Promise.resolve({ spans: stored, rejected: 0, message: '' });
      },
      budget: new MemoryBudget(MEMORY_BYTES),
      bufferBytes,
      receivedBytes: () => undefined,
      count: () => undefined,
      restarted: () => undefined,
      onBug: (error) => console.error(error),
    },
    [{ host: '127.0.0.1', port: 0, setting: 'bench' }],
  );
  return { port: bound[0]?.port ?? 0, spans: () => spans, stop: () => stop(1000) };
}

/** The usual way: each datagram on the event loop, through objects, into a request of its own. */
async function byObjects(transcoder: Transcoder): Promise<Receiver> {
  let spans = 0;
  const socket = createSocket({ type: 'udp4', recvBufferSize: DEFAULT_BUFFER_BYTES });
  socket.on('message', (datagram) => {
    spans += check(transcoder, messageByObjects(datagram));
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const stop = () => new Promise<void>((resolve) => socket.close(resolve));
  return { port: socket.address().port, spans: () => spans, stop };
}

function check(transcoder: Transcoder, bytes: Uint8Array): number {
  const checked = transcoder.check(bytes, BigInt(Date.now()) * NANOS_PER_MS, AGE_SECONDS);
  if (!checked.ok) throw new Error(checked.message);
  return checked.spans;
}
