// The worker thread of block_builder.ts: OTLP bytes in, Native blocks out, buffers transferred.

import { parentPort, workerData } from 'node:worker_threads';
import { loadTranscoder, type Transcoder } from '../model/codec/otlp/transcoder.ts';
import type { BuildReply, BuildRequest, Built, WorkerSettings } from './block_builder.ts';

const settings = workerData as WorkerSettings;
const transcoder = await loadTranscoder();

parentPort?.on('message', (request: BuildRequest) => {
  const built = build(transcoder, request.records);
  const reply: BuildReply = { id: request.id, ...built };
  parentPort?.postMessage(
    reply,
    built.blocks.map((block) => block.native.buffer),
  );
});

/** A record that cannot be transcoded, though it passed the check, must not take others along. */
function build(transcoder: Transcoder, records: BuildRequest['records']): Built {
  try {
    return { ...transcoder.transcode(records, settings), failed: [] };
  } catch {
    const failed = records.flatMap((record, i) => (transcodes(transcoder, record) ? [] : [i]));
    const good = records.filter((_, i) => !failed.includes(i));
    return { ...transcoder.transcode(good, settings), failed };
  }
}

function transcodes(transcoder: Transcoder, record: BuildRequest['records'][number]): boolean {
  try {
    transcoder.transcode([record], settings);
    return true;
  } catch {
    return false;
  }
}
