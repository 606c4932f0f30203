// One span as an instrumented shop would send it: about twelve attributes, now and then events and
// links.

import { attributes, type Plain } from '../../cli/demo/attribute.ts';
import type { Random } from '../../cli/demo/random.ts';
import type { Resource, Scope, Span, SpanEvent, SpanKind } from '../../model/span.ts';
import {
  type CorpusService,
  ROUTES,
  SERVICES,
  STATEMENTS,
  STEPS,
  TOPICS,
  USER_AGENTS,
} from './words.ts';

export interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly service: CorpusService;
  readonly kind: SpanKind;
  readonly startUnixNanos: bigint;
}

interface Content {
  readonly name: string;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, Plain>>;
}

/** Its resource and scope are set by whoever packs spans into requests. */
export type LooseSpan = Omit<Span, 'resource' | 'scope'>;

export function makeSpan(random: Random, place: SpanPlace): LooseSpan {
  const content = makeContent(random, place.kind, place.service);
  // 0.15 ms to 1.2 s, every order of magnitude alike.
  const durationNanos = BigInt(Math.floor(Math.exp(random.fraction() * 9 + 5) * 1000));
  const marked = content.failed || random.chance(0.1);
  const { traceId, spanId, parentSpanId, kind, startUnixNanos } = place;
  const vague = random.chance(0.5) ? 'upstream connect error or reset before headers' : '';
  return {
    traceId,
    spanId,
    parentSpanId,
    kind,
    startUnixNanos,
    durationNanos,
    name: content.name,
    service: place.service.name,
    statusCode: content.failed ? 2 : random.chance(0.1) ? 1 : 0,
    statusMessage: content.failed ? vague : '',
    traceState: '',
    flags: 0x101,
    attributes: attributes(content.attributes),
    events: marked ? makeEvents(random, place, durationNanos, content.failed) : [],
    links: random.chance(0.03) ? [makeLink(random)] : [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

export function makeResource(random: Random, service: CorpusService): Resource {
  const pod = random.pick(service.pods);
  return {
    attributes: attributes({
      'service.name': service.name,
      'service.version': service.version,
      'service.instance.id': pod,
      'deployment.environment.name': 'production',
      'k8s.pod.name': pod,
      'telemetry.sdk.language': 'java',
    }),
    droppedAttributesCount: 0,
    schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
  };
}

export function makeScope(name: string): Scope {
  const version = '2.22.0-alpha';
  return { name, version, attributes: [], droppedAttributesCount: 0, schemaUrl: '' };
}

function makeContent(random: Random, kind: SpanKind, service: CorpusService): Content {
  if (kind === 2) return servedRequest(random, service);
  if (kind === 3) return random.chance(0.55) ? statement(random, service) : remoteCall(random);
  if (kind === 4 || kind === 5) return message(random, kind, service);
  return internalStep(random, service);
}

function servedRequest(random: Random, service: CorpusService): Content {
  const route = random.pick(ROUTES);
  const method = random.pick(['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']);
  const status = random.chance(0.95) ? 200 : random.pick([400, 404, 500, 503]);
  const record = {
    'http.request.method': method,
    'http.route': route,
    'url.path': route.replace(/\{\w+\}/g, () => String(random.below(1e6))),
    'url.scheme': 'https',
    'http.response.status_code': status,
    'server.address': `${service.name}.prod.svc.cluster.local`,
    'server.port': 8080,
    'client.address': `10.${random.below(4)}.${random.below(256)}.${random.below(256)}`,
    'network.protocol.version': '1.1',
    'user_agent.original': random.pick(USER_AGENTS),
    'http.request.body.size': random.below(4000),
    'http.response.body.size': random.below(40_000),
    'thread.id': random.below(64),
  };
  return { name: `${method} ${route}`, failed: status >= 500, attributes: record };
}

function statement(random: Random, service: CorpusService): Content {
  const { operation, table, text } = random.pick(STATEMENTS);
  const record = {
    'db.system.name': 'postgresql',
    'db.namespace': 'shop',
    'db.query.text': text,
    'db.operation.name': operation,
    'db.collection.name': table,
    'server.address': `pg-primary-${random.below(4)}.db.internal`,
    'server.port': 5432,
    'db.user': `svc_${service.short}`,
    'db.response.returned_rows': random.below(100),
    'network.transport': 'tcp',
    'thread.name': `pool-${random.below(8)}-thread-${random.below(32)}`,
    'thread.id': random.below(64),
  };
  return { name: `${operation} shop.${table}`, failed: random.chance(0.01), attributes: record };
}

function remoteCall(random: Random): Content {
  const target = random.pick(SERVICES);
  const verb = random.pick(['Get', 'List', 'Create', 'Update', 'Delete']);
  const method = verb + random.pick(['User', 'Order', 'Cart', 'Product', 'Payment']);
  const service = `shop.v1.${target.short}`;
  const record = {
    'rpc.system': 'grpc',
    'rpc.service': service,
    'rpc.method': method,
    'rpc.grpc.status_code': random.chance(0.97) ? 0 : 14,
    'server.address': `${target.name}.prod.svc.cluster.local`,
    'server.port': 50_051,
    'network.peer.address': `10.${random.below(4)}.${random.below(256)}.${random.below(256)}`,
    'network.transport': 'tcp',
    'rpc.request.size': random.below(2000),
    'rpc.response.size': random.below(9000),
    'thread.id': random.below(64),
    'peer.service': target.name,
  };
  return { name: `${service}/${method}`, failed: random.chance(0.02), attributes: record };
}

function message(random: Random, kind: 4 | 5, service: CorpusService): Content {
  const topic = random.pick(TOPICS);
  const operation = kind === 4 ? 'publish' : 'process';
  const record = {
    'messaging.system': 'kafka',
    'messaging.destination.name': topic,
    'messaging.operation.name': operation,
    'messaging.destination.partition.id': String(random.below(32)),
    'messaging.kafka.offset': random.below(1e9),
    'messaging.consumer.group.name': service.name,
    'messaging.message.id': random.hex(16),
    'messaging.message.body.size': random.below(5000),
    'server.address': `kafka-${random.below(6)}.prod.internal`,
    'server.port': 9092,
    'thread.id': random.below(64),
  };
  return { name: `${operation} ${topic}`, failed: false, attributes: record };
}

function internalStep(random: Random, service: CorpusService): Content {
  const step = random.pick(STEPS);
  const record = {
    'code.function.name': `com.shop.${service.short}.core.${step.replaceAll(' ', '_')}`,
    'code.file.path': `src/main/java/com/shop/${service.short}/Core.java`,
    'code.line.number': random.below(900),
    'thread.id': random.below(64),
    'thread.name': `http-nio-8080-exec-${random.below(50)}`,
    'app.user.id': random.hex(8),
    'app.cart.items': random.below(20),
    // Half a cent more keeps it a double.
    'app.cart.total': random.below(50_000) / 100 + 0.005,
    'app.feature.enabled': random.chance(0.5),
    'app.tenant': `tenant-${random.below(200)}`,
    'app.region': random.pick(['eu-west-1', 'us-east-1', 'ap-south-1']),
  };
  return { name: `${step} ${service.short}`, failed: random.chance(0.005), attributes: record };
}

function makeEvents(
  random: Random,
  place: SpanPlace,
  durationNanos: bigint,
  failed: boolean,
): SpanEvent[] {
  const count = 1 + random.below(2);
  return Array.from({ length: count }, (_, i) => {
    const exception = failed && i === 0;
    const timeUnixNanos = place.startUnixNanos + (exception ? durationNanos / 2n : 1000n);
    const record = exception
      ? exceptionOf(random, place.service)
      : { 'cache.key': `k:${random.hex(6)}`, attempt: random.below(4) };
    const name = exception ? 'exception' : random.pick(['cache.miss', 'retry', 'lock.acquired']);
    return { timeUnixNanos, name, attributes: attributes(record), droppedAttributesCount: 0 };
  });
}

function exceptionOf(random: Random, service: CorpusService): Record<string, string> {
  const frames = Array.from(
    { length: 8 },
    () => `\tat com.shop.${service.short}.core.Client.call(Client.java:${random.below(800)})`,
  );
  return {
    'exception.type': 'java.net.SocketTimeoutException',
    'exception.message': `Read timed out after 3000ms calling ${random.pick(SERVICES).name}`,
    'exception.stacktrace': frames.join('\n'),
  };
}

function makeLink(random: Random): Span['links'][number] {
  return {
    traceId: random.hex(16),
    spanId: random.hex(8),
    traceState: '',
    attributes: attributes({ 'link.kind': 'follows_from' }),
    droppedAttributesCount: 0,
    flags: 1,
  };
}
