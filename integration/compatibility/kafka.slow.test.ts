// Programs that write spans to Kafka, and one that reads ours there. Slow: an OpenTelemetry Collector
// is compiled, brokers and Java start.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { decodeSpans, encodeRequest, hex, traceOf } from '../harness/otlp.ts';
import { freePorts } from '../harness/ports.ts';
import { Spanhouse } from '../harness/spanhouse.ts';
import { haveToolchain } from '../harness/toolchain.ts';
import { asked, Backends } from '../kafka/backends.ts';
import { install } from '../otel/installation.ts';
import { checkShown, checkTracer } from './check_tracer.ts';
import { JAVA_INSTALL, JAVA_TOOLCHAIN, javaProgram } from './java_program.ts';
import { OTEL_COLLECTOR, OtelCollector } from './otel_collector.ts';
import { keepResults, type Result } from './results.ts';
import type { Recorded } from './tracer.ts';

const BRAVE = 'Brave 6.3.1, sender-kafka 3.5.3';
const SEEN_MS = 30_000;

const BRAVE_VARIANTS = [
  { argument: 'brave-kafka-json', encoding: 'zipkin_json', sends: 'Zipkin v2 JSON' },
  { argument: 'brave-kafka-proto3', encoding: 'zipkin_proto', sends: 'Zipkin proto3' },
  { argument: 'brave-kafka-thrift', encoding: 'zipkin_thrift', sends: 'Zipkin v1 Thrift' },
] as const;

/** What its Kafka exporter knows; the first goes to our own topic as well. */
const OTEL_ENCODINGS = ['otlp_proto', 'otlp_json', 'jaeger_proto', 'jaeger_json'].concat([
  'zipkin_json',
  'zipkin_proto',
]);

const OWN = 'own';

test('programs that speak Kafka', async (t: TestContext) => {
  const toolchain = [...JAVA_TOOLCHAIN, ['go', 'version'] as const];
  if (!toolchain.every(([command, ...args]) => haveToolchain(t, command, args))) return;
  const name = `compatible-${process.pid}`;
  const results: Result[] = [];
  const parts: Part[] = [];
  try {
    const { backends, collector, query } = await startServices(name, parts);
    await tryBrave(t, backends.kafka.direct, name, query, results);
    const sink = await startSink();
    parts.push(sink);
    const ports = await freePorts(OTEL_ENCODINGS.length + 1);
    const doors = [OWN, ...OTEL_ENCODINGS].map((door, i) => ({ door, port: ports[i] ?? 0 }));
    const config = otelConfig(backends.kafka.direct, name, doors, sink.url);
    const otel = await OtelCollector.start(config, ports);
    parts.push({ remove: () => otel.stop() });
    await tryOtel(t, doors, query, results);
    await t.test(`${OTEL_COLLECTOR} reads our own topic`, async () => {
      const spans = traceOf(3);
      const request = encodeRequest('read-by-others', spans);
      await post(`${collector.otlpHttp}/v1/traces`, 'application/x-protobuf', request);
      const wanted = spans.map(({ spanId }) => hex(spanId));
      await eventually('the spans arrive there', SEEN_MS, () =>
        wanted.every((id) => sink.seen.has(id)) ? true : undefined,
      );
      const sends = 'nothing: reads `kafka.topic` as otlp_proto';
      results.push({ language: 'Go', tracer: OTEL_COLLECTOR, sends, shown: undefined });
    });
  } finally {
    for (const part of parts.reverse()) await part.remove();
  }
  keepResults('kafka', results);
});

interface Part {
  remove(): Promise<void>;
}

/** Our three services on a real broker, with a topic for each program and encoding. */
async function startServices(name: string, parts: Part[]) {
  const backends = await Backends.start();
  parts.push({ remove: () => backends.stop() });
  const foreign = [
    ...BRAVE_VARIANTS.map(({ argument, encoding }) => [`${name}-${argument}`, encoding] as const),
    ...OTEL_ENCODINGS.map((encoding) => [`${name}-${encoding}`, encoding] as const),
  ];
  const topics = [name, ...foreign.map(([topic]) => topic)];
  await asked(backends.kafka.direct, (admin) =>
    admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 2 })) }),
  );
  const kafka = [
    `--kafka-brokers=${backends.kafka.direct}`,
    `--kafka-topic=${name}`,
    '--kafka-replication=1',
    `--kafka-group=${name}`,
    `--kafka-dead-letter-topic=${name}-dead`,
  ];
  const { env, flags } = backends.clickhouse;
  const list = foreign.map((one) => one.join(':')).join(',');
  const own = [...kafka, ...flags, `--kafka-foreign-topics=${list}`];
  const collector = await Spanhouse.start({ role: 'collector', flags: kafka });
  parts.push(collector);
  parts.push(await Spanhouse.start({ role: 'ingester', env, flags: own }));
  const query = await Spanhouse.start({ role: 'query', env, flags });
  parts.push(query);
  return { backends, collector, query: query.query };
}

async function tryBrave(
  t: TestContext,
  broker: string,
  name: string,
  query: string,
  results: Result[],
): Promise<void> {
  const java = javaProgram(await install('../compatibility/java', JAVA_INSTALL));
  for (const { argument, sends } of BRAVE_VARIANTS) {
    await t.test(`${BRAVE}, ${sends}`, async () => {
      const topic = { TOPIC: `${name}-${argument}` };
      const variant = { tracer: BRAVE, sends, argument, env: () => topic };
      const shown = await checkTracer(query, java, variant, broker);
      results.push({ language: 'Java', tracer: BRAVE, sends: `${sends}, Kafka`, shown });
    });
  }
}

async function tryOtel(
  t: TestContext,
  doors: readonly Door[],
  query: string,
  results: Result[],
): Promise<void> {
  for (const { door, port } of doors) {
    const sends = door === OWN ? 'otlp_proto to `kafka.topic`' : `${door}, Kafka`;
    await t.test(`${OTEL_COLLECTOR}, ${sends}`, async () => {
      const service = `smoke-otelcol-${door}`;
      const shown = await checkShown(query, await sendThrough(port, service, door), service);
      results.push({ language: 'Go', tracer: OTEL_COLLECTOR, sends, shown });
    });
  }
}

interface Door {
  readonly door: string;
  readonly port: number;
}

/** A pipeline for each encoding, and one from our own topic to the sink. */
function otelConfig(broker: string, name: string, doors: readonly Door[], sink: string): object {
  const each = <T>(kind: string, part: (door: Door) => T): Record<string, T> =>
    Object.fromEntries(doors.map((door) => [`${kind}/${door.door}`, part(door)]));
  return {
    receivers: {
      ...each('otlp', ({ port }) => ({ protocols: { http: { endpoint: `127.0.0.1:${port}` } } })),
      kafka: {
        brokers: [broker],
        group_id: `${name}-otelcol`,
        initial_offset: 'earliest',
        traces: { topics: [name], encoding: 'otlp_proto' },
      },
    },
    exporters: {
      ...each('kafka', ({ door }) => ({
        brokers: [broker],
        traces: {
          topic: door === OWN ? name : `${name}-${door}`,
          encoding: door === OWN ? 'otlp_proto' : door,
        },
      })),
      otlphttp: { endpoint: sink, compression: 'none' },
    },
    service: {
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
      pipelines: {
        ...each('traces', ({ door }) => ({
          receivers: [`otlp/${door}`],
          exporters: [`kafka/${door}`],
        })),
        'traces/back': { receivers: ['kafka'], exporters: ['otlphttp'] },
      },
    },
  };
}

/** Two spans by OTLP, with all that they can say; what must be shown of them. */
async function sendThrough(port: number, service: string, door: string): Promise<Recorded> {
  const [traceId, root, child] = [16, 8, 8].map((size) => randomBytes(size).toString('hex'));
  assert.ok(traceId !== undefined && root !== undefined && child !== undefined);
  const micros = Date.now() * 1000;
  const times = { startTimeUnixNano: `${micros}000`, endTimeUnixNano: `${micros + 900}000` };
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const spans = [
    {
      traceId,
      spanId: root,
      name: 'get /checkout',
      kind: 2,
      ...times,
      attributes: [text('app.str', 'größe')],
    },
    {
      ...{ traceId, spanId: child, parentSpanId: root, name: 'charge', kind: 3, ...times },
      events: [{ timeUnixNano: `${micros + 100}000`, name: 'retry' }],
      status: { code: 2, message: 'card declined' },
    },
  ];
  const resource = { attributes: [text('service.name', service)] };
  const request = { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] };
  const body = Buffer.from(JSON.stringify(request));
  await post(`http://127.0.0.1:${port}/v1/traces`, 'application/json', body);
  // Its Zipkin exporter writes an error as the tag `error`, whatever the message was.
  const error = door.startsWith('zipkin') ? {} : { error: 'card declined' };
  return {
    traceId,
    spans: [
      { id: root, parent: '', name: 'get /checkout', kind: 'server', tags: { 'app.str': 'größe' } },
      { id: child, parent: root, name: 'charge', kind: 'client', event: 'retry', ...error },
    ],
  };
}

async function post(url: string, type: string, body: Uint8Array): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': type },
    body: Buffer.from(body),
  });
  assert.equal(answer.status, 200, await answer.text());
}

/** Takes OTLP over HTTP and remembers the ids of the spans. */
async function startSink() {
  const seen = new Set<string>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    for (const { spanId } of decodeSpans(Buffer.concat(chunks))) seen.add(spanId);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const remove = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, seen, remove };
}
