import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { jsonToProto } from '../../../../model/codec/otlp/json_to_proto.ts';
import { readSpans } from '../../../../model/codec/otlp/read_request.ts';
import { WireReader } from '../../../../model/codec/otlp/wire_reader.ts';
import type { Span } from '../../../../model/span.ts';
import { OTHER_TENANT, startTestService, type TestService } from '../../../testing/service.ts';
import {
  attributesOf,
  eventOf,
  linkOf,
  MINUTE,
  NOON,
  resourceOf,
  SECOND,
  scopeOf,
  spanOf,
  traceId,
} from '../../../testing/spans.ts';

let service: TestService;
before(async () => {
  service = await startTestService();
  await service.insert(SHOP);
  await service.insert(OTHERS, OTHER_TENANT);
  await service.insert(FULL);
});
after(() => service.stop());

const WINDOW =
  'query.startTimeMin=2026-11-23T00:00:00Z&query.startTimeMax=2026-11-23T23:00:00.000000001Z';

const SHOP: readonly Span[] = [
  spanOf({
    traceId: traceId(1),
    spanId: '00000000000000a1',
    service: 'shop',
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
    startUnixNanos: NOON + SECOND,
    durationNanos: 6n * SECOND,
  }),
  spanOf({
    traceId: traceId(1),
    spanId: '00000000000000a3',
    parentSpanId: '00000000000000ff',
    service: 'bank',
    name: 'charge',
    kind: 1,
    startUnixNanos: NOON - SECOND,
  }),
];

/** Another tenant's, with the same ids and services. */
const OTHERS: readonly Span[] = [
  spanOf({ traceId: traceId(1), spanId: '00000000000000a1', service: 'shop', name: 'secret' }),
  spanOf({ traceId: traceId(9), service: 'vault', name: 'open' }),
];

/** Every field set, in the order in which it is read back: attributes by type. */
const FULL: readonly Span[] = [
  {
    ...spanOf({
      traceId: traceId(2),
      spanId: '00000000000000b1',
      parentSpanId: '00000000000000b0',
      service: 'full',
      startUnixNanos: NOON - MINUTE + 1n,
      statusCode: 1,
      statusMessage: 'fine',
      traceState: 'a=b',
      flags: 0x101,
      attributes: attributesOf({
        s: '"quoted"\n結',
        i: 2n ** 60n,
        d: 0.1,
        b: false,
        y: Buffer.from([1, 2, 255]),
        l: ['x', 1n],
      }),
      events: [eventOf('boom', { why: 'because' })],
      links: [linkOf(traceId(1), { how: 'so' })],
      droppedAttributesCount: 1,
      droppedEventsCount: 2,
      droppedLinksCount: 3,
      resource: { ...resourceOf('full', { n: 1n }), schemaUrl: 'https://example.org/r' },
      scope: { ...scopeOf('lib', '1.2', { k: true }), schemaUrl: 'https://example.org/s' },
    }),
  },
];

interface V3Traces {
  readonly result: { readonly resourceSpans: readonly unknown[] };
}

function spansOf(text: string): Span[] {
  const { result } = JSON.parse(text) as V3Traces;
  const proto = jsonToProto(Buffer.from(JSON.stringify(result)));
  assert.ok(proto.ok);
  return [...readSpans(new WireReader(proto.bytes))];
}

const error = (text: string): unknown => (JSON.parse(text) as { error: unknown }).error;

test('services and operations are those of the tenant', async () => {
  const services = await service.get('/api/v3/services');
  assert.equal(services.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(services.text, '{"services":["bank","full","shop"]}');
  assert.equal((await service.other.get('/api/v3/services')).text, '{"services":["shop","vault"]}');
  const operations = await service.get('/api/v3/operations?service=bank');
  assert.deepEqual(JSON.parse(operations.text), {
    operations: [
      { name: 'charge', spanKind: 'internal' },
      { name: 'charge', spanKind: 'client' },
    ],
  });
  for (const name of ['spanKind', 'span_kind']) {
    const some = await service.get(`/api/v3/operations?service=bank&${name}=client`);
    assert.equal(some.text, '{"operations":[{"name":"charge","spanKind":"client"}]}');
  }
  const none = await service.get('/api/v3/operations?service=vault');
  assert.equal(none.text, '{"operations":[]}');
});

test('a trace is found by hex and by base64, and loses nothing when raw', async () => {
  const base64 = Buffer.from(traceId(2), 'hex').toString('base64url');
  for (const id of [traceId(2), traceId(2).toUpperCase(), traceId(2).replace(/^0+/, ''), base64]) {
    const answer = await service.get(`/api/v3/traces/${id}?rawTraces=true`);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(spansOf(answer.text), FULL, id);
  }
  const raw = await service.get(`/api/v3/traces/${traceId(2)}?raw_traces=1&start_time=x`);
  assert.equal(raw.status, 400);
});

test('Grafana’s times, unencoded and in snake_case, are understood', async () => {
  const times = 'start_time=2026-11-23T00:00:00.123456789+01:00&end_time=2026-11-24T00:00:00Z';
  const answer = await service.get(`/api/v3/traces/${traceId(1)}?${times}`);
  assert.equal(spansOf(answer.text).length, 3);
});

test('a trace is adjusted as in the classic API, with warnings in an attribute', async () => {
  const backwards = spanOf({ traceId: traceId(3), durationNanos: -1n, attributes: [] });
  await service.insert([backwards]);
  const [span] = spansOf((await service.get(`/api/v3/traces/${traceId(3)}`)).text);
  const warning = span?.attributes.find(({ key }) => key === '@jaeger@warnings');
  assert.equal(warning?.value.type, 'array');
  const [raw] = spansOf((await service.get(`/api/v3/traces/${traceId(3)}?rawTraces=T`)).text);
  assert.deepEqual(raw?.attributes, []);
});

test('a search finds whole traces, in either spelling of its parameters', async () => {
  const attributes = encodeURIComponent('{"error":"true"}');
  const camel = `query.serviceName=bank&query.operationName=charge&query.attributes=${attributes}`;
  const answer = await service.get(`/api/v3/traces?${camel}&${WINDOW}&query.durationMin=5s`);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(
    spansOf(answer.text)
      .map(({ spanId }) => spanId)
      .sort(),
    ['00000000000000a1', '00000000000000a2', '00000000000000a3'],
  );
  const snake = [
    'query.service_name=bank',
    'query.operation_name=charge',
    'query.start_time_min=2026-11-23T00:00:00Z',
    'query.start_time_max=2026-11-24T00:00:00Z',
    'query.num_traces=5',
    'query.duration_max=7s',
    'query.raw_traces=true',
  ].join('&');
  assert.equal(spansOf((await service.get(`/api/v3/traces?${snake}`)).text).length, 3);
  const anyService = await service.get(`/api/v3/traces?${WINDOW}&query.searchDepth=1`);
  assert.equal(new Set(spansOf(anyService.text).map((one) => one.traceId)).size, 1);
});

test('the start of the window is in it, its end is not', async () => {
  const at = (from: string, to: string) =>
    service.get(
      `/api/v3/traces?query.serviceName=full&query.startTimeMin=2026-11-23T${from}Z` +
        `&query.startTimeMax=2026-11-23T${to}Z`,
    );
  assert.equal((await at('11:59:00.000000001', '11:59:00.000000002')).status, 200);
  assert.equal((await at('11:58:00', '11:59:00.000000001')).status, 404);
});

test('the spans of another tenant are never shown, though ids and services are the same', async () => {
  const mine = spansOf((await service.get(`/api/v3/traces/${traceId(1)}`)).text);
  const theirs = spansOf((await service.other.get(`/api/v3/traces/${traceId(1)}`)).text);
  assert.deepEqual([mine.length, theirs.length], [3, 1]);
  assert.equal(theirs[0]?.name, 'secret');
  assert.equal((await service.get(`/api/v3/traces/${traceId(9)}`)).status, 404);
  const found = await service.other.get(`/api/v3/traces?query.serviceName=shop&${WINDOW}`);
  assert.deepEqual(
    spansOf(found.text).map(({ name }) => name),
    ['secret'],
  );
  const summaries = await service.other.get(
    `/api/v3/trace-summaries?query.serviceName=shop&${WINDOW}`,
  );
  assert.equal(JSON.parse(summaries.text).summaries[0].spanCount, 1);
});

test('summaries tell root, times, counts and services', async () => {
  const answer = await service.get(`/api/v3/trace-summaries?query.serviceName=shop&${WINDOW}`);
  const [{ traceId: id, ...summary }] = JSON.parse(answer.text).summaries.filter(
    (one: { traceId: string }) => one.traceId === traceId(1),
  );
  assert.equal(id, traceId(1));
  assert.deepEqual(summary, {
    rootServiceName: 'shop',
    rootOperationName: 'POST /pay',
    minStartTimeUnixNano: `${NOON - SECOND}`,
    maxEndTimeUnixNano: `${NOON + 7n * SECOND}`,
    spanCount: 3,
    errorSpanCount: 1,
    orphanSpanCount: 1,
    services: [
      { name: 'bank', spanCount: 2, errorSpanCount: 1 },
      { name: 'shop', spanCount: 1 },
    ],
  });
  await service.insert(SHOP);
  const again = await service.get(`/api/v3/trace-summaries?query.serviceName=shop&${WINDOW}`);
  assert.equal(again.text, answer.text, 'spans that were sent twice count once');
});

test('a search without a match is 404 for traces and empty for summaries', async () => {
  const traces = await service.get(`/api/v3/traces?query.serviceName=nobody&${WINDOW}`);
  assert.equal(traces.status, 404);
  assert.equal(traces.text, '{"error":{"httpCode":404,"message":"No traces found"}}\n');
  assert.equal(traces.headers.get('content-type'), 'text/plain; charset=utf-8');
  const summaries = await service.get(`/api/v3/trace-summaries?query.serviceName=nobody&${WINDOW}`);
  assert.deepEqual([summaries.status, summaries.text], [200, '{}']);
  assert.equal((await service.get(`/api/v3/traces/${'5'.repeat(32)}`)).status, 404);
});

test('calls between services are listed', async () => {
  const window = 'startTime=2026-11-23T00:00:00Z&endTime=2026-11-24T00:00:00Z';
  const answer = await service.get(`/api/v3/dependencies?${window}`);
  assert.equal(answer.text, '{"dependencies":[{"parent":"shop","child":"bank","callCount":"1"}]}');
  const theirs = await service.other.get(`/api/v3/dependencies?${window}`);
  assert.equal(theirs.text, '{"dependencies":[]}');
});

const SQL = "x') OR 1=1; DROP TABLE spans; --";

test('bad questions get a 400 and a sentence', async () => {
  const questions: readonly (readonly [string, RegExp])[] = [
    ['traces', /^query.startTimeMin and query.startTimeMax are required$/],
    [
      `traces?${WINDOW.replace('2026-11-23T00:00:00Z', 'yesterday')}`,
      /query.startTimeMin: expected/,
    ],
    ['traces?query.start_time_min=1&query.start_time_max=2', /parameter query.start_time_min: /],
    [
      `traces?${WINDOW.replace('23T23', '22T23')}`,
      /startTimeMin must be before query.startTimeMax/,
    ],
    [`traces?${WINDOW.replace('2026-11-23T00', '0001-01-01T00')}`, /between 1677 and 2262/],
    [`traces?${WINDOW}&query.searchDepth=0`, /query.searchDepth: expected 1 to 1500, received "0"/],
    [`traces?${WINDOW}&query.search_depth=-1`, /query.search_depth: expected 1 to 1500/],
    [`trace-summaries?${WINDOW}&query.num_traces=1000000000`, /query.num_traces: expected 1 to/],
    [`traces?${WINDOW}&query.searchDepth=ten`, /strconv.Atoi: parsing "ten": invalid syntax/],
    [`traces?${WINDOW}&query.durationMin=20`, /query.durationMin: time: missing unit in duration/],
    [`traces?${WINDOW}&query.durationMax=-1s`, /query.durationMax: "-1s" is negative/],
    [`traces?${WINDOW}&query.durationMin=2s&query.durationMax=1s`, /must not be less than/],
    [
      `traces?${WINDOW}&query.rawTraces=maybe`,
      /query.rawTraces: strconv.ParseBool: parsing "maybe"/,
    ],
    [`traces?${WINDOW}&query.attributes=a:b`, /query.attributes: expected an object of strings/],
    [`traces?${WINDOW}&query.attributes={"a":1}`, /cannot unmarshal number into Go value of type/],
    [`traces?${WINDOW}&query.filter={"op":"eq"}`, /query.filter is not supported here/],
    [`traces?${WINDOW}&query.serviceName=${'x'.repeat(1025)}`, /at most 1024 characters/],
    ['operations', /parameter 'service' is required/],
    ['operations?service=shop&spanKind=none', /spanKind: expected internal, server/],
    [`traces/${'a'.repeat(33)}`, /malformed parameter trace_id: TraceID cannot be longer than 32/],
    ['traces/zz', /malformed parameter trace_id: strconv.ParseUint: parsing "zz": invalid syntax/],
    [
      `traces/${traceId(1)}?startTime=${encodeURIComponent(SQL)}`,
      /malformed parameter startTime: /,
    ],
    ['dependencies', /start_time is required/],
    ['dependencies?startTime=2026-11-23T00:00:00Z', /end_time is required/],
    [
      'dependencies?startTime=2026-11-23T00:00:00Z&endTime=2026-11-23T00:00:00Z',
      /end_time must be after start_time/,
    ],
  ];
  for (const [path, message] of questions) {
    const answer = await service.get(`/api/v3/${path}`);
    assert.equal(answer.status, 400, `${path}: ${answer.text}`);
    const { httpCode, message: text } = error(answer.text) as { httpCode: number; message: string };
    assert.equal(httpCode, 400);
    assert.match(text, message, path);
  }
});

test('SQL in any field is only a text that nothing has', async () => {
  const text = encodeURIComponent(SQL);
  for (const name of ['query.serviceName', 'query.operationName']) {
    const answer = await service.get(`/api/v3/traces?${name}=${text}&${WINDOW}`);
    assert.equal(answer.status, 404, answer.text);
  }
  const tags = encodeURIComponent(JSON.stringify({ [SQL]: SQL }));
  const tagged = await service.get(`/api/v3/traces?query.attributes=${tags}&${WINDOW}`);
  assert.equal(tagged.status, 404, tagged.text);
  assert.equal((await service.get(`/api/v3/operations?service=${text}`)).status, 200);
});
