// Sends datagrams at a steady rate to a UDP port of this machine, for bench/udp:
//   node bench/udp/sender.ts <port> <packets per second> <seconds>

import { createSocket } from 'node:dgram';
import { batchValue } from '../../model/codec/jaeger/testing/jaeger_span.ts';
import { encodeMessage } from '../../model/codec/thrift/testing/thrift_encoder.ts';
import { makeBatch, SPANS_PER_DATAGRAM } from '../jaeger/batches.ts';

const DIFFERENT = 100;
const TICK_MS = 1;

const [port = 0, rate = 0, seconds = 0] = process.argv.slice(2).map(Number);
const datagrams = Array.from({ length: DIFFERENT }, (_, i) =>
  encodeMessage('emitBatch', 4, [[1, batchValue(makeBatch(SPANS_PER_DATAGRAM, i))]], 'compact'),
);
const socket = createSocket('udp4');
socket.connect(port, '127.0.0.1', () => {
  const startMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(rate * seconds, ((performance.now() - startMs) / 1000) * rate);
    for (; sent < due; sent++) socket.send(datagrams[sent % DIFFERENT] as Buffer);
    if (sent < rate * seconds) return;
    clearInterval(timer);
    setTimeout(() => socket.close(), 100);
    const tookMs = performance.now() - startMs;
    process.stdout.write(JSON.stringify({ sent, packetsPerSecond: (sent / tookMs) * 1000 }));
  }, TICK_MS);
});
