// The real receivers and the real accept, in a process of their own, with a log that forgets: what
// it costs to receive and check. Writes its ports as one line of JSON; ends when stdin closes.

import { createAccept } from '../../collector/accept.ts';
import { JsonWorker } from '../../collector/json_worker.ts';
import { startOtlpGrpc } from '../../collector/receivers/otlp_grpc.ts';
import { startOtlpHttp } from '../../collector/receivers/otlp_http.ts';
import { loadTranscoder } from '../../model/codec/otlp/transcoder.ts';
import { MemoryBudget } from '../../service/memory_budget.ts';

const ignore = (): void => undefined;
const DAY_SECONDS = 86_400;

const transcoder = await loadTranscoder();
const accept = createAccept({
  check: (bytes, recordUnixNanos, maxAgeSeconds) =>
    transcoder.check(bytes, recordUnixNanos, maxAgeSeconds),
  publish: async () => undefined,
  now: () => BigInt(Date.now()) * 1_000_000n,
  maxAgeSeconds: 30 * DAY_SECONDS,
  ledger: { received: ignore, rejected: ignore, refused: ignore },
});
const deps = {
  accept,
  budget: new MemoryBudget(512 * 1024 * 1024),
  metrics: { request: ignore, receivedBytes: ignore },
  json: new JsonWorker(),
  onBug: (error: unknown) => console.error(error),
};
const listen = { host: '127.0.0.1', port: 0, setting: 'bench' };
const http = await startOtlpHttp(deps, listen);
const grpc = await startOtlpGrpc(deps, listen);
grpc.setServing(true);
process.stdout.write(`${JSON.stringify({ http: http.port, grpc: grpc.port })}\n`);
process.stdin.on('close', () => process.exit(0)).resume();
