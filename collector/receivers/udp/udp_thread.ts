// The thread that reads Jaeger's UDP ports: nobody sends a datagram twice, so whatever else keeps the
// collector's event loop must not keep these sockets. It translates as well, so that the loop gets
// requests of a thousand spans instead of datagrams of five.

import type { Socket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';
import { UdpGathering } from './gathering.ts';
import { type FromUdpThread, STOP, type UdpBound, type UdpThreadData } from './messages.ts';
import { addressOf, closeSocket, openSockets } from './sockets.ts';

/** When asked to stop, what waits in the kernel is still read: until none came for so long … */
const QUIET_MS = 10;
/** … or a sender that does not stop has had this. */
const DRAIN_MS_MAX = 250;

const { listen, bufferBytes, held } = workerData as UdpThreadData;
const sockets: Socket[] = [];
const gatherings: UdpGathering[] = [];
let datagrams = 0;

function post(message: FromUdpThread): void {
  const given = message.kind === 'gathered' ? [message.bytes.buffer] : [];
  parentPort?.postMessage(message, given);
}

async function openPort(port: number): Promise<UdpBound> {
  const address = listen[port];
  if (address === undefined) throw new Error(`there is no port ${port} to open`);
  const gathering = new UdpGathering(port, held, post);
  gatherings.push(gathering);
  const opened = await openSockets(address, {
    bufferBytes,
    note: (message) => post({ kind: 'note', message }),
    onDatagram: (datagram) => {
      datagrams++;
      gathering.add(datagram);
    },
  });
  sockets.push(...opened);
  const [first] = opened;
  return { port: first?.address().port ?? 0, addresses: opened.map(addressOf) };
}

async function closeAll(): Promise<void> {
  await Promise.all(sockets.splice(0).map(closeSocket));
  for (const gathering of gatherings) gathering.finish();
  parentPort?.close();
}

function stop(): void {
  const sinceMs = performance.now();
  let seen = datagrams;
  const timer = setInterval(() => {
    const isQuiet = datagrams === seen;
    seen = datagrams;
    if (!isQuiet && performance.now() - sinceMs < DRAIN_MS_MAX) return;
    clearInterval(timer);
    void closeAll();
  }, QUIET_MS);
}

async function main(): Promise<void> {
  parentPort?.on('message', (message: unknown) => {
    if (message === STOP) stop();
  });
  try {
    const bound: UdpBound[] = [];
    for (const port of listen.keys()) bound.push(await openPort(port));
    post({ kind: 'open', bound });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    post({ kind: 'failed', message: error.message, cause: error.cause });
    await closeAll();
  }
}

await main();
