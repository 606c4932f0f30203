// Records to blocks, whatever they are written in. What cannot be decoded is told by its place, and
// its neighbours are in the blocks.

import { type Encoding, toOtlp } from '../model/codec/encoding.ts';
import { noneRejected } from '../model/codec/otlp/check_result.ts';
import type {
  NativeBlock,
  SpanRecord,
  TranscodeCounts,
  Transcoder,
} from '../model/codec/otlp/transcoder.ts';
import { REQUEST_BYTES_MAX } from '../model/limits.ts';

export interface Built {
  readonly blocks: readonly NativeBlock[];
  readonly counts: TranscodeCounts;
  /** Places in the group of records that could not be transcoded; they are in no block. */
  readonly failed: readonly number[];
}

interface Placed {
  readonly record: SpanRecord;
  readonly place: number;
}

/** A pure function of its arguments, also of `maxAgeSeconds`: a replay gets the same blocks. */
export function buildBlocks(
  transcoder: Transcoder,
  records: readonly SpanRecord[],
  encoding: Encoding,
  maxAgeSeconds: number,
): Built {
  const failed: number[] = [];
  const placed = records.flatMap((record, place): Placed[] => {
    const bytes = translated(encoding, record);
    if (bytes === undefined) failed.push(place);
    return bytes === undefined || bytes.length === 0
      ? []
      : [{ record: { ...record, bytes }, place }];
  });
  const parts = groups(placed, transcoder.groupBytesMax).map((group) =>
    buildGroup(transcoder, group, { maxAgeSeconds }),
  );
  return {
    blocks: parts.flatMap(({ blocks }) => blocks),
    counts: parts.map(({ counts }) => counts).reduce(add, NOTHING),
    failed: [...failed, ...parts.flatMap((part) => part.failed)].sort((a, b) => a - b),
  };
}

const NANOS_PER_MICRO = 1000n;

/** Undefined for what cannot be decoded, or is larger than any request of ours as OTLP. */
function translated(encoding: Encoding, record: SpanRecord): Uint8Array | undefined {
  if (encoding === 'otlp_proto') return record.bytes;
  const micros = Number(record.recordUnixNanos / NANOS_PER_MICRO);
  const bytes = toOtlp(encoding, record.bytes, micros);
  return bytes === undefined || bytes.length > REQUEST_BYTES_MAX ? undefined : bytes;
}

/** What the walk takes at once; mostly all of them. */
function groups(placed: readonly Placed[], bytesMax: number): Placed[][] {
  const all: Placed[][] = [[]];
  let bytes = 0;
  for (const one of placed) {
    const size = one.record.bytes.length;
    if (bytes > 0 && bytes + size > bytesMax) {
      all.push([]);
      bytes = 0;
    }
    bytes += size;
    all.at(-1)?.push(one);
  }
  return all;
}

function buildGroup(
  transcoder: Transcoder,
  group: readonly Placed[],
  settings: { readonly maxAgeSeconds: number },
): Built {
  const recordsOf = (some: readonly Placed[]): SpanRecord[] => some.map(({ record }) => record);
  try {
    return { ...transcoder.transcode(recordsOf(group), settings), failed: [] };
  } catch {
    // One by one, then those that are good together.
    const failed = group.filter(({ record }) => !transcodes(transcoder, record, settings));
    const bad = new Set(failed);
    const good = group.filter((one) => !bad.has(one));
    const built = transcoder.transcode(recordsOf(good), settings);
    return { ...built, failed: failed.map(({ place }) => place) };
  }
}

function transcodes(
  transcoder: Transcoder,
  record: SpanRecord,
  settings: { readonly maxAgeSeconds: number },
): boolean {
  try {
    transcoder.transcode([record], settings);
    return true;
  } catch {
    return false;
  }
}

const NOTHING: TranscodeCounts = {
  spans: 0,
  rejected: noneRejected(),
  droppedAttributes: 0,
  droppedEvents: 0,
  droppedLinks: 0,
  cutValues: 0,
};

function add(a: TranscodeCounts, b: TranscodeCounts): TranscodeCounts {
  const rejected = noneRejected();
  for (const reason of Object.keys(rejected) as (keyof typeof rejected)[]) {
    rejected[reason] = a.rejected[reason] + b.rejected[reason];
  }
  return {
    spans: a.spans + b.spans,
    rejected,
    droppedAttributes: a.droppedAttributes + b.droppedAttributes,
    droppedEvents: a.droppedEvents + b.droppedEvents,
    droppedLinks: a.droppedLinks + b.droppedLinks,
    cutValues: a.cutValues + b.cutValues,
  };
}
