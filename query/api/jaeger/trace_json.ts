// A trace as the JSON that Jaeger's UI reads, in pieces, so that a large one is sent while it is
// written and others are served meanwhile.

import { setImmediate } from 'node:timers/promises';
import type { Resource, Span } from '../../../model/span.ts';
import { Breath } from '../../breath.ts';
import type { StoredTrace } from '../../stored_trace.ts';
import { shownSpans, traceWarnings, type View } from './shown.ts';
import { jaegerTraceId, processJson, spanJson, warningsJson } from './span_json.ts';

/** Pieces of about this size: large enough for a socket, small enough to be made at once. */
const PIECE_CHARS = 64 * 1024;

export async function* traceJson(trace: StoredTrace, view: View): AsyncGenerator<string, void> {
  const breath = new Breath();
  const processes = new Processes();
  let piece = `{"traceID":"${jaegerTraceId(trace.traceId)}","spans":[`;
  let separator = '';
  for (const one of shownSpans(trace, view)) {
    if (one === undefined) {
      await setImmediate();
      continue;
    }
    piece += separator + spanJson(one, processes.idOf(one.span));
    separator = ',';
    if (piece.length >= PIECE_CHARS) {
      yield piece;
      piece = '';
    }
    const pause = breath.step();
    if (pause !== undefined) await pause;
  }
  yield `${piece}],"processes":${processes.json()},"warnings":${warningsJson(traceWarnings(trace))}}`;
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
