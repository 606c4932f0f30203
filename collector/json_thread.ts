// The worker thread behind json_worker.ts: one body in, one out, memory moved and not copied.

import { parentPort } from 'node:worker_threads';
import { type Format, type Translation, translate } from './translate.ts';

export interface ThreadJob {
  readonly format: Format;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly nowMicros: number;
}

parentPort?.on('message', ({ format, bytes, nowMicros }: ThreadJob) => {
  const answer: Translation = translate(format, bytes, nowMicros);
  parentPort?.postMessage(answer, answer.ok ? [answer.bytes.buffer] : []);
});
