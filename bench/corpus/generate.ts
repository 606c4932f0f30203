// Requests full of spans: traces of 4 to 43 spans over twenty services, packed as pods send them,
// so that a trace arrives in pieces and a request holds pieces of many traces.

import { Random } from '../../cli/demo/random.ts';
import { encodeSpans } from '../../model/codec/otlp/encode.ts';
import type { Span, SpanKind } from '../../model/span.ts';
import { type LooseSpan, makeResource, makeScope, makeSpan } from './span_maker.ts';
import { SERVICES } from './words.ts';

export interface CorpusShape {
  readonly requests: number;
  readonly spansPerRequest: number;
  readonly seed: number;
}

/** The corpus' own time; senders move it to now (patch.ts). */
export const CORPUS_START_UNIX_NANOS = 1_760_000_000_000_000_000n;

/** What a batching agent in front of several pods sends; small requests come from one pod. */
const RESOURCES_PER_REQUEST = 5;
const SMALL_REQUEST_SPANS = 50;

/** Traces begin about so far from each other, and are then spread over some seconds. */
const TRACE_STEP_MS = 1;
const TRACE_SPREAD_MS = 5000;

export function* generateRequests(shape: CorpusShape): Generator<Uint8Array> {
  const random = new Random(shape.seed);
  const waiting = SERVICES.map((): LooseSpan[] => []);
  const resources = shape.spansPerRequest < SMALL_REQUEST_SPANS ? 1 : RESOURCES_PER_REQUEST;
  const scopes = [makeScope('io.opentelemetry.tomcat-10.0'), makeScope('io.opentelemetry.jdbc')];
  let turn = 0;
  let traces = 0;
  for (let request = 0; request < shape.requests; request++) {
    const spans: Span[] = [];
    for (let r = 0; r < resources; r++) {
      const number = turn++ % SERVICES.length;
      const queue = waiting[number]!;
      const from = Math.floor((r * shape.spansPerRequest) / resources);
      const wanted = Math.floor(((r + 1) * shape.spansPerRequest) / resources) - from;
      while (queue.length < wanted) makeTrace(random, traces++, waiting);
      const resource = makeResource(random, SERVICES[number]!);
      const taken = queue.splice(0, wanted);
      taken.forEach((span, i) => {
        const scope = scopes[i < wanted * 0.6 ? 0 : 1]!;
        spans.push({ ...span, resource, scope });
      });
    }
    yield encodeSpans(spans);
  }
}

function makeTrace(random: Random, number: number, waiting: readonly LooseSpan[][]): void {
  const traceId = random.hex(16);
  const ids: string[] = [];
  const startMs = number * TRACE_STEP_MS + random.below(TRACE_SPREAD_MS);
  const traceStart = CORPUS_START_UNIX_NANOS + BigInt(startMs) * 1_000_000n;
  const count = 4 + random.below(40);
  for (let i = 0; i < count; i++) {
    const service = random.below(SERVICES.length);
    const spanId = random.hex(8);
    const span = makeSpan(random, {
      traceId,
      spanId,
      parentSpanId: i === 0 ? '' : random.pick(ids),
      service: SERVICES[service]!,
      kind: i === 0 ? 2 : pickKind(random),
      startUnixNanos: traceStart + BigInt(random.below(200_000_000)),
    });
    ids.push(spanId);
    waiting[service]!.push(span);
  }
}

/** Server 30 %, client 42 %, producer and consumer 4 % each, internal the rest. */
function pickKind(random: Random): SpanKind {
  const chance = random.fraction();
  if (chance < 0.3) return 2;
  if (chance < 0.72) return 3;
  if (chance < 0.76) return 4;
  return chance < 0.8 ? 5 : 1;
}
