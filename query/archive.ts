// Traces that are kept past the retention because someone asked for it.

import { setImmediate } from 'node:timers/promises';
import { encodeSpans } from '../model/codec/otlp/encode.ts';
import { readSpans } from '../model/codec/otlp/read_request.ts';
import { WireReader } from '../model/codec/otlp/wire_reader.ts';
import { compareText } from '../model/compare_text.ts';
import type { Span } from '../model/span.ts';
import { type RefusalCode, RefusalError } from '../service/refusal.ts';
import {
  type ArchivePart,
  archivedKeysStatement,
  archivedStatement,
  archiveSizeStatement,
} from '../storage/clickhouse/archive.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import { type TraceKey, traceIdText } from '../storage/clickhouse/statement.ts';
import { IDS_PER_STATEMENT_MAX } from '../storage/clickhouse/trace_statements.ts';
import { AnswerMemory } from './answer_memory.ts';
import { Breath } from './breath.ts';
import { type FoundTrace, getTraces, SPANS_PER_TRACE_MAX } from './get.ts';
import type { QueryDeps } from './http_answer.ts';

/** Nobody looks through more by hand, and anyone who may read may archive. */
const ARCHIVED_TRACES_MAX = 10_000;
/** Of one tenant, before compression: some hundreds of MB on disk. */
const ARCHIVED_BYTES_MAX = 10 * 1024 * 1024 * 1024;
/** Spans of one part: encoded in some milliseconds. */
const SPANS_PER_PART = 1000;
/** Of one trace, which is inserted as one block. */
const TRACE_BYTES_MAX = 128 * 1024 * 1024;

/** Jaeger's words where no archive was set up. */
export const NO_ARCHIVE = 'archive span storage was not configured';

/**
 * Archives a trace as it is stored now. One that is archived already, with as many spans or more,
 * stays as it is. Throws RefusalError: `unsupported` without an archive, `not_found`, `too_large`;
 * `unavailable`; and SelectError.
 */
export async function archiveTrace(
  deps: QueryDeps,
  tenant: string,
  key: TraceKey,
  signal: AbortSignal,
): Promise<void> {
  const { archive, select, memory, clock } = deps;
  if (archive === undefined) throw refusal('unsupported', NO_ARCHIVE);
  const size = await sizeOf(select, tenant, key, signal);
  for await (const trace of getTraces(select, tenant, [key], signal, memory)) {
    if (trace.cut) {
      throw refusal(
        'too_large',
        `A trace of at most ${SPANS_PER_TRACE_MAX} spans can be archived, this one has more.`,
      );
    }
    // Part of it may be past the retention by now.
    if (size.spans >= trace.spans.length) return;
    const parts = await partsOf(trace);
    const bytes = parts.reduce((sum, part) => sum + part.bytes.length, 0);
    checkRoom(size, bytes);
    try {
      await archive.put(tenant, key, parts, clock.nowMs());
    } catch (error) {
      deps.log.error('a trace was not archived', { error });
      throw refusal('unavailable', NOT_WRITTEN);
    }
    return;
  }
  if (size.spans === 0) throw refusal('not_found', 'trace not found');
}

interface Size {
  readonly traces: number;
  readonly bytes: number;
  /** Of the trace that is to be archived; 0 where it is not. */
  readonly spans: number;
}

function checkRoom(size: Size, bytes: number): void {
  if (bytes > TRACE_BYTES_MAX) {
    throw refusal(
      'too_large',
      `A trace of at most ${TRACE_BYTES_MAX} bytes can be archived, this one has ${bytes}.`,
    );
  }
  if (size.traces >= ARCHIVED_TRACES_MAX || size.bytes + bytes > ARCHIVED_BYTES_MAX) {
    throw refusal(
      'too_large',
      `The archive is full: it holds ${size.traces} traces of ${size.bytes} bytes, and may hold ` +
        `${ARCHIVED_TRACES_MAX} of ${ARCHIVED_BYTES_MAX}; an operator can delete some.`,
    );
  }
}

const NOT_WRITTEN =
  'The archive could not be written: try again; the reason is in the log of the query service.';

function refusal(code: RefusalCode, message: string): RefusalError {
  return new RefusalError({ code, message });
}

async function sizeOf(
  select: Select,
  tenant: string,
  key: TraceKey,
  signal: AbortSignal,
): Promise<Size> {
  for (const block of await select(archiveSizeStatement(tenant, key), signal)) {
    const [traces, bytes, spans] = ['traces', 'bytes', 'spans'].map((name) =>
      Number(block.bigs(name)[0]),
    ) as [number, number, number];
    return { traces, bytes, spans };
  }
  return { traces: 0, bytes: 0, spans: 0 };
}

async function partsOf(trace: FoundTrace): Promise<ArchivePart[]> {
  const parts: ArchivePart[] = [];
  // Those of a resource next to each other, so that it is written once a part.
  const spans = trace.spans.toSorted((a, b) => compareText(a.service, b.service));
  for (let at = 0; at < spans.length; at += SPANS_PER_PART) {
    const some = spans.slice(at, at + SPANS_PER_PART);
    parts.push({ bytes: encodeSpans(some), spans: some.length });
    await setImmediate();
  }
  return parts;
}

/**
 * The archived traces among `keys`, each once and in their order, as they were archived last. Throws
 * as getTraces does.
 */
export async function* getArchived(
  select: Select,
  tenant: string,
  keys: readonly TraceKey[],
  signal?: AbortSignal,
  memory: AnswerMemory = new AnswerMemory(),
): AsyncGenerator<FoundTrace, void> {
  if (keys.length === 0) return;
  for (const key of await archivedKeys(select, tenant, keys, signal)) {
    const held = memory.hold();
    try {
      const spans: Span[] = [];
      const breath = new Breath();
      for (const block of await select(archivedStatement(tenant, key), signal, held.add)) {
        const bytes = block.strings('bytes');
        for (let row = 0; row < block.rows; row++) {
          for (const span of readSpans(new WireReader(bytes.bytesAt(row)))) {
            spans.push(span);
            const pause = breath.step();
            if (pause !== undefined) await pause;
          }
        }
      }
      yield { traceId: traceIdText(key), spans, cut: false };
    } finally {
      held.free();
    }
  }
}

async function archivedKeys(
  select: Select,
  tenant: string,
  keys: readonly TraceKey[],
  signal: AbortSignal | undefined,
): Promise<TraceKey[]> {
  const there = new Set<string>();
  for (let at = 0; at < keys.length; at += IDS_PER_STATEMENT_MAX) {
    const some = keys.slice(at, at + IDS_PER_STATEMENT_MAX);
    for (const block of await select(archivedKeysStatement(tenant, some), signal)) {
      const [lows, highs] = [block.bigs('trace_lo'), block.bigs('trace_hi')];
      for (let i = 0; i < block.rows; i++) {
        there.add(traceIdText({ high: highs[i]!, low: lows[i]! }));
      }
    }
  }
  const distinct = new Map(keys.map((key) => [traceIdText(key), key]));
  return [...distinct].filter(([id]) => there.has(id)).map(([, key]) => key);
}
