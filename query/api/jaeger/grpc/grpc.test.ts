import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import {
  attributes,
  event,
  link,
  resource,
  scope,
  text,
} from '../../../../model/codec/otlp/testing/span_arbitrary.ts';
import type { Span, SpanKind, StatusCode } from '../../../../model/span.ts';
import { type GrpcClient, grpcClient } from '../../../testing/jaeger_grpc.ts';
import {
  type JaegerTag,
  OTHER_TENANT,
  startTestService,
  type TestService,
} from '../../../testing/service.ts';
import { NOON, SECOND, spanOf, traceId } from '../../../testing/spans.ts';

const V2 = 'jaeger.api_v2.QueryService';
const V3 = 'jaeger.api_v3.QueryService';

let service: TestService;
let v2: GrpcClient;
let v3: GrpcClient;
let otherV2: GrpcClient;
let otherV3: GrpcClient;
before(async () => {
  service = await startTestService();
  await service.insert(SHOP);
  await service.insert(OTHERS, OTHER_TENANT);
  v2 = grpcClient(service.grpcPort, V2);
  v3 = grpcClient(service.grpcPort, V3);
  otherV2 = grpcClient(service.other.grpcPort, V2);
  otherV3 = grpcClient(service.other.grpcPort, V3);
});
after(async () => {
  for (const client of [v2, v3, otherV2, otherV3]) client?.close();
  await service.stop();
});

const SHOP: readonly Span[] = [
  spanOf({
    traceId: traceId(1),
    spanId: '00000000000000a1',
    name: 'POST /pay',
    durationNanos: 5n * SECOND,
  }),
  spanOf({
    traceId: traceId(1),
    spanId: '00000000000000a2',
    parentSpanId: '00000000000000a1',
    service: 'bank',
    name: 'charge',
    kind: 3,
    statusCode: 2,
  }),
];

/** Another tenant's, with the same ids and services. */
const OTHERS: readonly Span[] = [
  spanOf({ traceId: traceId(1), spanId: '00000000000000a1', name: 'secret' }),
  spanOf({ traceId: traceId(9), service: 'vault', name: 'open' }),
];

const bytes = (id: string): Buffer => Buffer.from(id, 'hex');
const timestamp = (nanos: bigint) => ({ seconds: nanos / SECOND, nanos: Number(nanos % SECOND) });
const WINDOW = {
  start_time_min: timestamp(NOON - 3600n * SECOND),
  start_time_max: timestamp(NOON + 3600n * SECOND),
};

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

const spansOf = (chunks: readonly Chunk[]): ProtoSpan[] => chunks.flatMap(({ spans }) => spans);
const names = (chunks: readonly Chunk[]): string[] =>
  spansOf(chunks)
    .map((span) => span.operation_name)
    .sort();

interface TracesData {
  readonly resource_spans: readonly {
    readonly scope_spans: readonly {
      readonly spans: readonly { name: string; span_id: Buffer }[];
    }[];
  }[];
}

const v3Names = (messages: readonly TracesData[]): string[] =>
  messages
    .flatMap((one) => one.resource_spans)
    .flatMap((one) => one.scope_spans)
    .flatMap((one) => one.spans.map((span) => span.name))
    .sort();

async function refused(answer: Promise<unknown>, code: status, message: RegExp): Promise<void> {
  await assert.rejects(answer, (error: ServiceError) => {
    assert.equal(status[error.code], status[code], error.details);
    assert.match(error.details, message);
    return true;
  });
}

test('services, operations and dependencies are those of the tenant', async () => {
  for (const client of [v2, v3]) {
    assert.deepEqual(await client.call('GetServices', {}), [{ services: ['bank', 'shop'] }]);
  }
  for (const client of [otherV2, otherV3]) {
    assert.deepEqual(await client.call('GetServices', {}), [{ services: ['shop', 'vault'] }]);
  }
  const operations = [{ name: 'charge', span_kind: 'client' }];
  assert.deepEqual(await v2.call('GetOperations', { service: 'bank' }), [
    { operationNames: ['charge'], operations },
  ]);
  assert.deepEqual(await v3.call('GetOperations', { service: 'bank', span_kind: 'client' }), [
    { operations },
  ]);
  const window = { start_time: WINDOW.start_time_min, end_time: WINDOW.start_time_max };
  const edge = { parent: 'shop', child: 'bank', call_count: 1n };
  assert.deepEqual(await v2.call('GetDependencies', window), [
    { dependencies: [{ ...edge, source: '' }] },
  ]);
  assert.deepEqual(await v3.call('GetDependencies', window), [{ dependencies: [edge] }]);
  assert.deepEqual(await otherV2.call('GetDependencies', window), [{ dependencies: [] }]);
});

test('a trace is found by id, in both versions, and only one’s own', async () => {
  const trace_id = bytes(traceId(1));
  assert.deepEqual(names(await v2.call('GetTrace', { trace_id })), ['POST /pay', 'charge']);
  assert.deepEqual(names(await otherV2.call('GetTrace', { trace_id })), ['secret']);
  const base64 = trace_id.toString('base64url');
  for (const id of [traceId(1), traceId(1).replace(/^0+/, ''), base64]) {
    const found = await v3.call<TracesData>('GetTrace', { trace_id: id });
    assert.deepEqual(v3Names(found), ['POST /pay', 'charge'], id);
  }
  const theirs = await otherV3.call<TracesData>('GetTrace', { trace_id: traceId(1) });
  assert.deepEqual(v3Names(theirs), ['secret']);
  await refused(
    v2.call('GetTrace', { trace_id: bytes(traceId(9)) }),
    status.NOT_FOUND,
    /^trace not found$/,
  );
  await refused(
    v3.call('GetTrace', { trace_id: traceId(9) }),
    status.NOT_FOUND,
    /^trace not found$/,
  );
});

test('a search finds whole traces by all that it may ask', async () => {
  const query = {
    service_name: 'bank',
    operation_name: 'charge',
    ...WINDOW,
    duration_max: { seconds: 1n, nanos: 0 },
    search_depth: 5,
  };
  const found = await v2.call<Chunk>('FindTraces', {
    query: { ...query, tags: { error: 'true' } },
  });
  assert.deepEqual(names(found), ['POST /pay', 'charge']);
  const v3Found = await v3.call<TracesData>('FindTraces', {
    query: { ...query, attributes: { error: 'true' }, raw_traces: true },
  });
  assert.deepEqual(v3Names(v3Found), ['POST /pay', 'charge']);
  const fast = { ...query, duration_max: { seconds: 0n, nanos: 1 } };
  assert.deepEqual(await v2.call('FindTraces', { query: fast }), []);
  assert.deepEqual(await v3.call('FindTraces', { query: fast }), []);
  const theirs = await otherV2.call<Chunk>('FindTraces', {
    query: { service_name: 'shop', ...WINDOW },
  });
  assert.deepEqual(names(theirs), ['secret']);
});

test('a time that is not given is the last 48 hours for the old API, and Go’s zero time is none', async () => {
  const zero = { seconds: -62_135_596_800n, nanos: 0 };
  for (const window of [{}, { start_time_min: zero, start_time_max: zero }]) {
    const found = await v2.call<Chunk>('FindTraces', {
      query: { service_name: 'bank', ...window },
    });
    assert.deepEqual(names(found), ['POST /pay', 'charge']);
  }
});

test('summaries come in one message, and only one’s own', async () => {
  const query = { service_name: 'shop', ...WINDOW };
  const [message, ...more] = await v3.call<{ summaries: object[] }>('FindTraceSummaries', {
    query,
  });
  assert.equal(more.length, 0);
  assert.deepEqual(message?.summaries, [
    {
      trace_id: traceId(1),
      root_service_name: 'shop',
      root_operation_name: 'POST /pay',
      min_start_time_unix_nano: NOON,
      max_end_time_unix_nano: NOON + 5n * SECOND,
      span_count: 2,
      error_span_count: 1,
      orphan_span_count: 0,
      services: [
        { name: 'bank', span_count: 1, error_span_count: 1 },
        { name: 'shop', span_count: 1, error_span_count: 0 },
      ],
    },
  ]);
  const [theirs] = await otherV3.call<{ summaries: { span_count: number }[] }>(
    'FindTraceSummaries',
    { query },
  );
  assert.deepEqual(
    theirs?.summaries.map((one) => one.span_count),
    [1],
  );
});

const span: fc.Arbitrary<Partial<Span>> = fc.record(
  {
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

test('whatever a span holds, gRPC says the same as the JSON of the classic API', async () => {
  let n = 100;
  await fc.assert(
    fc.asyncProperty(fc.array(span, { minLength: 8, maxLength: 16 }), async (parts) => {
      const id = traceId(n++);
      await service.insert(parts.map((part) => spanOf({ ...part, traceId: id, service: 'any' })));
      for (const raw of [false, true]) {
        const json = (await service.get(`/api/traces/${id}?raw=${raw}`)).json().data[0]!;
        const chunks = await v2.call<Chunk>('GetTrace', { trace_id: bytes(id), raw_traces: raw });
        const shown = spansOf(chunks).map((one) => ({
          spanID: one.span_id.toString('hex'),
          operationName: one.operation_name,
          ...(one.flags === 0 ? {} : { flags: one.flags }),
          references: one.references.map((reference) => ({
            refType: reference.ref_type,
            traceID: reference.trace_id.toString('hex').replace(/^0{16}/, ''),
            spanID: reference.span_id.toString('hex'),
          })),
          startTime: micros(one.start_time),
          duration: micros(one.duration),
          tags: one.tags.map(jsonTag),
          logs: one.logs.map((log) => ({
            timestamp: micros(log.timestamp),
            fields: log.fields.map(jsonTag),
          })),
          warnings: one.warnings.length === 0 ? null : one.warnings,
          process: {
            serviceName: one.process.service_name,
            tags: one.process.tags.map(jsonTag),
          },
        }));
        const expected = json.spans.map(({ processID, traceID: _, ...rest }) => ({
          ...rest,
          process: json.processes[processID],
        }));
        assert.deepEqual(shown, expected);
      }
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

test('a large trace comes in several messages, none of them large', async () => {
  const id = traceId(50);
  const filler = { type: 'string', value: 'x'.repeat(2000) } as const;
  const spans = Array.from({ length: 1500 }, () =>
    spanOf({ traceId: id, service: 'large', attributes: [{ key: 'filler', value: filler }] }),
  );
  await service.insert(spans);
  const chunks = await v2.call<Chunk>('GetTrace', { trace_id: bytes(id) });
  assert.equal(spansOf(chunks).length, 1500);
  assert.ok(chunks.length > 5, `${chunks.length} messages`);
  const messages = await v3.call<TracesData>('GetTrace', { trace_id: id });
  assert.equal(v3Names(messages).length, 1500);
  assert.ok(messages.length > 2, `${messages.length} messages`);
});

const SQL = "x') OR 1=1; DROP TABLE spans; --";

test('bad questions are INVALID_ARGUMENT with a sentence', async () => {
  const find = (query: object) => ({ query: { service_name: 'shop', ...WINDOW, ...query } });
  const both: readonly (readonly [string, object, RegExp])[] = [
    ['FindTraces', {}, /^missing query$/],
    ['FindTraces', find({ search_depth: -1 }), /search_depth must be between 1 and 1500/],
    ['FindTraces', find({ search_depth: 1e9 }), /search_depth must be between 1 and 1500/],
    ['FindTraces', find({ start_time_min: timestamp(NOON + 7200n * SECOND) }), /must be before/],
    ['FindTraces', find({ start_time_min: { seconds: 10n ** 12n } }), /between 1677 and 2262/],
    ['FindTraces', find({ duration_min: { seconds: -1n } }), /duration_min must not be negative/],
    [
      'FindTraces',
      find({ duration_min: { seconds: 2n }, duration_max: { seconds: 1n } }),
      /duration_max must not be less than duration_min/,
    ],
    ['FindTraces', find({ service_name: 'x'.repeat(1025) }), /at most 1024 characters/],
    ['GetOperations', {}, /'service' is required/],
    ['GetOperations', { service: 'shop', span_kind: SQL }, /span_kind: expected internal, server/],
  ];
  for (const [method, request, message] of both) {
    for (const client of [v2, v3]) {
      await refused(
        client.call(method, request as Record<string, unknown>),
        status.INVALID_ARGUMENT,
        message,
      );
    }
  }
  const tags = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, '1']));
  await refused(v2.call('FindTraces', find({ tags })), status.INVALID_ARGUMENT, /at most 32 tags/);
  const invalid = (answer: Promise<unknown>, message: RegExp): Promise<void> =>
    refused(answer, status.INVALID_ARGUMENT, message);
  await invalid(v2.call('GetTrace', {}), /^uninitialized TraceID is not allowed$/);
  await invalid(v2.call('GetTrace', { trace_id: Buffer.alloc(16) }), /^uninitialized TraceID/);
  await invalid(
    v2.call('GetTrace', { trace_id: Buffer.alloc(15, 1) }),
    /invalid length for TraceID/,
  );
  await invalid(v2.call('GetDependencies', {}), /^StartTime and EndTime must be initialized.$/);
  await invalid(v3.call('GetDependencies', {}), /^start_time is required$/);
  await invalid(v3.call('GetTrace', { trace_id: `${'a'.repeat(31)}x` }), /malformed trace_id/);
  await invalid(v3.call('GetTrace', { trace_id: SQL }), /malformed trace_id/);
  await invalid(
    v3.call('FindTraces', { query: { service_name: 'shop' } }),
    /^start time min and max are required parameters$/,
  );
});

test('a megabyte of tags is refused before it is read', async () => {
  const query = { service_name: 'shop', ...WINDOW, tags: { key: 'x'.repeat(1024 * 1024) } };
  await refused(v2.call('FindTraces', { query }), status.RESOURCE_EXHAUSTED, /./);
});

test('SQL in any field is only a text that nothing has', async () => {
  const query = { service_name: SQL, operation_name: SQL, ...WINDOW, tags: { [SQL]: SQL } };
  assert.deepEqual(await v2.call('FindTraces', { query }), []);
  assert.deepEqual(await v3.call('GetOperations', { service: SQL }), [{ operations: [] }]);
});

test('health and reflection tell what is here', async () => {
  const health = grpcClient(service.grpcPort, 'grpc.health.v1.Health');
  try {
    for (const name of ['', V2, V3]) {
      const [answer] = await health.call('Check', { service: name });
      assert.deepEqual(answer, { status: 'SERVING' });
    }
    await refused(health.call('Check', { service: 'x' }), status.NOT_FOUND, /no service/);
  } finally {
    health.close();
  }
});
