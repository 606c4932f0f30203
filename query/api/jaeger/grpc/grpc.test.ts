import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Span } from '../../../../model/span.ts';
import { type GrpcClient, grpcClient } from '../../../testing/jaeger_grpc.ts';
import { OTHER_TENANT, startTestService, type TestService } from '../../../testing/service.ts';
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
  readonly operation_name: string;
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
