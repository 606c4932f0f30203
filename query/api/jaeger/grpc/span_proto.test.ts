import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attributes,
  event,
  hex,
  link,
  resource,
  scope,
  text,
} from '../../../../model/codec/otlp/testing/span_arbitrary.ts';
import type { Span, SpanKind, StatusCode } from '../../../../model/span.ts';
import { asStored } from '../../../stored_trace.ts';
import { responseOf } from '../../../testing/jaeger_grpc.ts';
import type { JaegerTag, JaegerTrace } from '../../../testing/service.ts';
import { NOON, SECOND, spanOf, traceId } from '../../../testing/spans.ts';
import { shownSpans } from '../shown.ts';
import { traceJson } from '../trace_json.ts';
import { SpanChunks } from './span_proto.ts';

interface Chunk {
  readonly spans: readonly ProtoSpan[];
}

interface ProtoSpan {
  readonly trace_id: Buffer;
  readonly span_id: Buffer;
  readonly operation_name: string;
  readonly references: readonly { trace_id: Buffer; span_id: Buffer; ref_type: string }[];
  readonly flags: number;
  readonly start_time: ProtoSeconds;
  readonly duration: ProtoSeconds;
  readonly tags: readonly ProtoTag[];
  readonly logs: readonly { timestamp: ProtoSeconds; fields: readonly ProtoTag[] }[];
  readonly process: { service_name: string; tags: readonly ProtoTag[] };
  readonly warnings: readonly string[];
}

interface ProtoSeconds {
  readonly seconds: bigint;
  readonly nanos: number;
}

interface ProtoTag {
  readonly key: string;
  readonly v_type: string;
  readonly v_str: string;
  readonly v_bool: boolean;
  readonly v_int64: bigint;
  readonly v_float64: number;
  readonly v_binary: Buffer;
}

const span: fc.Arbitrary<Partial<Span>> = fc.record(
  {
    parentSpanId: fc.oneof(fc.constant(''), hex(8)),
    name: text,
    kind: fc.nat(5).map((kind) => kind as SpanKind),
    durationNanos: fc.bigInt(-SECOND, 100n * SECOND),
    statusCode: fc.nat(2).map((code) => code as StatusCode),
    statusMessage: text,
    traceState: text,
    flags: fc.nat(0xffff_ffff),
    attributes,
    // Jaeger's UI tells times in microseconds: the nanoseconds are compared apart.
    events: fc.array(
      event.map((one) => ({ ...one, timeUnixNanos: NOON })),
      { maxLength: 3 },
    ),
    links: fc.array(link, { maxLength: 3 }),
    resource,
    scope,
  },
  { noNullPrototype: true },
);

/** As the JSON of the classic API has it. */
function jsonTag(tag: ProtoTag): JaegerTag {
  const { key, v_type } = tag;
  switch (v_type) {
    case 'BOOL':
      return { key, type: 'bool', value: tag.v_bool };
    case 'INT64': {
      const isSafe = BigInt(Number.MAX_SAFE_INTEGER) >= tag.v_int64 && tag.v_int64 >= -(2n ** 53n);
      return { key, type: 'int64', value: isSafe ? Number(tag.v_int64) : `${tag.v_int64}` };
    }
    case 'FLOAT64': {
      const value = Number.isFinite(tag.v_float64) ? tag.v_float64 : `${tag.v_float64}`;
      return { key, type: 'float64', value };
    }
    case 'BINARY':
      return { key, type: 'binary', value: tag.v_binary.toString('base64') };
    default:
      return { key, type: 'string', value: tag.v_str };
  }
}

const micros = ({ seconds, nanos }: ProtoSeconds): number =>
  Number((seconds * SECOND + BigInt(nanos)) / 1000n);

/** As the JSON of the classic API has it, but for the number of its process. */
function jsonSpan(span: ProtoSpan): object {
  return {
    spanID: span.span_id.toString('hex'),
    operationName: span.operation_name,
    ...(span.flags === 0 ? {} : { flags: span.flags }),
    references: span.references.map((reference) => ({
      refType: reference.ref_type,
      traceID: reference.trace_id.toString('hex').replace(/^0{16}/, ''),
      spanID: reference.span_id.toString('hex'),
    })),
    startTime: micros(span.start_time),
    duration: micros(span.duration),
    tags: span.tags.map(jsonTag),
    logs: span.logs.map((log) => ({
      timestamp: micros(log.timestamp),
      fields: log.fields.map(jsonTag),
    })),
    warnings: span.warnings.length === 0 ? null : span.warnings,
    process: {
      serviceName: span.process.service_name,
      tags: span.process.tags.map(jsonTag),
    },
  };
}

test('whatever a span holds, gRPC says the same as the JSON of the classic API', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(span, { minLength: 1, maxLength: 6 }), async (parts) => {
      const spans = parts.map((part) => spanOf({ ...part, traceId: traceId(1) }));
      for await (const trace of asStored([{ traceId: traceId(1), spans }])) {
        for (const raw of [false, true]) {
          const view = { raw, clockSkewNanosMax: 0n };
          const chunks = new SpanChunks();
          const messages = [...shownSpans(trace, view)].map((one) => one && chunks.add(one));
          const shown = [...messages, chunks.finish()]
            .filter((message) => message !== undefined)
            .flatMap((message) => responseOf<Chunk>(GET_TRACE, message).spans);
          const pieces = await Array.fromAsync(traceJson(trace, view));
          const json = JSON.parse(pieces.join('')) as JaegerTrace;
          const expected = json.spans.map(({ processID, traceID: _, ...rest }) => ({
            ...rest,
            process: json.processes[processID],
          }));
          assert.deepEqual(shown.map(jsonSpan), expected);
        }
      }
    }),
    { numRuns: 60 },
  );
});

const GET_TRACE = ['jaeger.api_v2.QueryService', 'GetTrace'] as const;

test('times are told to the nanosecond, before 1970 too', () => {
  const chunks = new SpanChunks();
  for (const startUnixNanos of [NOON + 1n, -1n]) {
    const one = spanOf({ startUnixNanos, durationNanos: 2n * SECOND + 3n });
    assert.equal(chunks.add({ span: one, warnings: [] }), undefined);
  }
  const { spans } = responseOf<Chunk>(GET_TRACE, chunks.finish()!);
  assert.deepEqual(
    spans.map((one) => [one.start_time, one.duration]),
    [
      [
        { seconds: NOON / SECOND, nanos: 1 },
        { seconds: 2n, nanos: 3 },
      ],
      [
        { seconds: -1n, nanos: 999_999_999 },
        { seconds: 2n, nanos: 3 },
      ],
    ],
  );
});
