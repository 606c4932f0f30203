// A batch that is larger than a record of the log may be, published in several records.

import { splitRequest } from '../model/codec/otlp/split.ts';
import type { LogRecord, Publish } from '../storage/span_log.ts';

/** Parts at once: enough to fill a send to every partition, few enough to bound the copies. */
const PARTS_MAX = 8;

export interface PartsDeps {
  readonly publish: Publish;
  /** Bytes of a part at most. */
  readonly bytesMax: number;
  /** Spans of a part that will become rows. */
  readonly countSpans: (part: Uint8Array) => number;
}

/**
 * Resolves, when every part is safe, with how many spans they have; the others fit into no part.
 * Throws what publishing a part throws, after all parts on their way have an answer: some may be
 * published then, and the sender's repetition is shown once all the same.
 */
export async function publishParts(record: LogRecord, deps: PartsDeps): Promise<number> {
  let spans = 0;
  let flight: Promise<void>[] = [];
  for (const part of splitRequest(record.bytes, deps.bytesMax)) {
    const kept = deps.countSpans(part.bytes);
    if (kept === 0) continue;
    spans += kept;
    flight.push(deps.publish({ ...record, bytes: part.bytes, spans: kept }));
    if (flight.length < PARTS_MAX) continue;
    await all(flight);
    flight = [];
  }
  await all(flight);
  return spans;
}

/** Unlike Promise.all, leaves none behind. */
async function all(flight: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(flight)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
