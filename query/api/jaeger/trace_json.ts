// A trace as the JSON that Jaeger's UI reads, in pieces, so that a large one is sent while it is
// written and others are served meanwhile.

import type { Resource, Span } from '../../../model/span.ts';
import { type AssembledSpan, assemble } from '../../../model/trace/assemble.ts';
import { separateSharedIds } from '../../../model/trace/shared_ids.ts';
import { Breath } from '../../breath.ts';
import { type FoundTrace, SPANS_PER_TRACE_MAX } from '../../get.ts';
import { Adjuster } from './adjust.ts';
import { jaegerTraceId, processJson, spanJson, warningsJson } from './span_json.ts';

/** Pieces of about this size: large enough for a socket, small enough to be made at once. */
const PIECE_CHARS = 64 * 1024;

/** `raw` leaves ids, order, attributes and links as they are stored. */
export async function* traceJson(trace: FoundTrace, raw: boolean): AsyncGenerator<string, void> {
  const breath = new Breath();
  const processes = new Processes();
  let piece = `{"traceID":"${jaegerTraceId(trace.traceId)}","spans":[`;
  let separator = '';
  for (const one of raw ? asStored(trace.spans) : adjusted(trace.spans)) {
    piece += separator + spanJson(one, processes.idOf(one.span));
    separator = ',';
    if (piece.length >= PIECE_CHARS) {
      yield piece;
      piece = '';
    }
    const pause = breath.step();
    if (pause !== undefined) await pause;
  }
  const warnings = trace.cut
    ? [`This trace has more than ${SPANS_PER_TRACE_MAX} spans; only so many are shown.`]
    : [];
  yield `${piece}],"processes":${processes.json()},"warnings":${warningsJson(warnings)}}`;
}

function* adjusted(spans: readonly Span[]): Generator<AssembledSpan, void> {
  const adjuster = new Adjuster();
  for (const one of assemble(separateSharedIds(spans))) yield adjuster.adjust(one);
}

function* asStored(spans: readonly Span[]): Generator<AssembledSpan, void> {
  for (const span of spans) yield { span, warnings: [] };
}

/** p1, p2, … in order of first use; resources that would look the same are one process. */
class Processes {
  readonly #idOfResource = new Map<Resource, string>();
  readonly #idOfJson = new Map<string, string>();

  idOf(span: Span): string {
    const known = this.#idOfResource.get(span.resource);
    if (known !== undefined) return known;
    const json = processJson(span);
    const id = this.#idOfJson.get(json) ?? `p${this.#idOfJson.size + 1}`;
    this.#idOfJson.set(json, id);
    this.#idOfResource.set(span.resource, id);
    return id;
  }

  json(): string {
    return `{${[...this.#idOfJson].map(([json, id]) => `"${id}":${json}`).join(',')}}`;
  }
}
