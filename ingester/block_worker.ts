// The worker thread of block_builder.ts: records in, Native blocks out, buffers transferred.

import { parentPort, workerData } from 'node:worker_threads';
import { loadTranscoder } from '../model/codec/otlp/transcoder.ts';
import type { BuildReply, BuildRequest, WorkerSettings } from './block_builder.ts';
import { buildBlocks } from './build_blocks.ts';
import { unpack } from './record_pack.ts';

const { maxAgeSeconds } = workerData as WorkerSettings;
const transcoder = await loadTranscoder();

parentPort?.on('message', ({ id, encoding, records }: BuildRequest) => {
  const built = buildBlocks(transcoder, unpack(records), encoding, maxAgeSeconds);
  const reply: BuildReply = { id, ...built };
  parentPort?.postMessage(
    reply,
    built.blocks.map((block) => block.native.buffer),
  );
});
