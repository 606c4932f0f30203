// The worker thread behind json_worker.ts: one body in, one out, memory moved and not copied.

import { parentPort } from 'node:worker_threads';
import { jsonToProto } from '../model/codec/otlp/json_to_proto.ts';

export type JsonAnswer =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly message: string };

parentPort?.on('message', (json: Uint8Array<ArrayBuffer>) => {
  const answer: JsonAnswer = jsonToProto(json);
  parentPort?.postMessage(answer, answer.ok ? [answer.bytes.buffer] : []);
});
