// Traces as the JSON of Zipkin's v2 spans, in pieces: a trace is a list of spans, in any order.

import { toZipkinSpan } from '../../../model/codec/zipkin/to_json.ts';
import type { Endpoint, V2Span } from '../../../model/codec/zipkin/v1_span.ts';
import type { Span } from '../../../model/span.ts';
import { type TraceKey, traceIdText } from '../../../storage/clickhouse/statement.ts';
import { Breath } from '../../breath.ts';
import type { FoundTrace } from '../../get.ts';

/** Pieces of about this size: large enough for a socket, small enough to be made at once. */
const PIECE_CHARS = 64 * 1024;

/** One list: the spans of all `traces`, which are the ids of one. */
export async function* spanList(traces: AsyncIterable<FoundTrace>): AsyncGenerator<string, void> {
  const writer = new Writer('[');
  for await (const { spans } of traces) yield* writer.write(spans);
  yield writer.end(']');
}

/** A list of lists; traces of one group stand in one list, and come one after the other. */
export async function* traceList(
  traces: AsyncIterable<FoundTrace>,
  groups: readonly (readonly TraceKey[])[],
): AsyncGenerator<string, void> {
  const groupOf = new Map(groups.flatMap((keys, i) => keys.map((key) => [traceIdText(key), i])));
  const writer = new Writer('[');
  let group: number | undefined;
  for await (const { traceId, spans } of traces) {
    const own = groupOf.get(traceId);
    if (group === undefined) writer.begin('[');
    else if (own !== group) writer.begin('],[');
    group = own;
    yield* writer.write(spans);
  }
  yield writer.end(group === undefined ? ']' : ']]');
}

class Writer {
  readonly #breath = new Breath();
  #piece: string;
  #comma = '';

  constructor(start: string) {
    this.#piece = start;
  }

  begin(text: string): void {
    this.#piece += text;
    this.#comma = '';
  }

  async *write(spans: readonly Span[]): AsyncGenerator<string, void> {
    for (const span of spans) {
      this.#piece += this.#comma + JSON.stringify(inLowerCase(toZipkinSpan(span)));
      this.#comma = ',';
      if (this.#piece.length >= PIECE_CHARS) {
        yield this.#piece;
        this.#piece = '';
      }
      const pause = this.#breath.step();
      if (pause !== undefined) await pause;
    }
  }

  end(text: string): string {
    return this.#piece + text;
  }
}

/** As Zipkin's own answers have these names. */
function inLowerCase(span: V2Span): V2Span {
  if (span.name !== undefined) span.name = span.name.toLowerCase();
  if (span.localEndpoint !== undefined) span.localEndpoint = lower(span.localEndpoint);
  if (span.remoteEndpoint !== undefined) span.remoteEndpoint = lower(span.remoteEndpoint);
  return span;
}

function lower(endpoint: Endpoint): Endpoint {
  const { serviceName } = endpoint;
  return serviceName === undefined
    ? endpoint
    : { ...endpoint, serviceName: serviceName.toLowerCase() };
}
