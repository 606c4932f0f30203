// One trace by the tracer that argv names, sent to where TRACES_TO says; prints what it recorded.
import { once } from 'node:events';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const [, , tracer] = process.argv;
const to = process.env.TRACES_TO;
const service = process.env.SERVICE;

const print = (traceId, spans) => console.log(JSON.stringify({ traceId, spans }));

async function zipkinJs(encoder) {
  const { Tracer, ExplicitContext, BatchRecorder, jsonEncoder, Annotation } = require('zipkin');
  const { HttpLogger } = require('zipkin-transport-http');
  const endpoint = `${to}/api/${encoder === 'JSON_V1' ? 'v1' : 'v2'}/spans`;
  const logger = new HttpLogger({ endpoint, jsonEncoder: jsonEncoder[encoder], httpInterval: 100 });
  const tracer = new Tracer({
    ctxImpl: new ExplicitContext(),
    recorder: new BatchRecorder({ logger }),
    localServiceName: service,
  });
  const root = tracer.createRootId();
  const child = tracer.letId(root, () => tracer.createChildId());
  const at = (id, annotation) => {
    tracer.setId(id);
    tracer.recordAnnotation(annotation);
  };
  at(root, new Annotation.ServiceName(service));
  at(root, new Annotation.Rpc('GET /checkout'));
  at(root, new Annotation.ServerRecv());
  at(root, new Annotation.BinaryAnnotation('app.str', 'größe'));
  at(child, new Annotation.ServiceName(service));
  at(child, new Annotation.Rpc('charge'));
  at(child, new Annotation.ClientSend());
  at(child, new Annotation.BinaryAnnotation('error', 'card declined'));
  at(child, new Annotation.Message('retry'));
  at(child, new Annotation.ClientRecv());
  const sent = once(logger, 'success');
  at(root, new Annotation.ServerSend());
  // Its own timer keeps no process up, and a busy machine takes longer than a moment.
  const up = setTimeout(() => {}, 20_000);
  await sent;
  clearTimeout(up);
  print(root.traceId, [
    {
      id: root.spanId,
      parent: '',
      name: 'get /checkout',
      kind: 'server',
      tags: { 'app.str': 'größe' },
    },
    {
      id: child.spanId,
      parent: root.spanId,
      name: 'charge',
      kind: 'client',
      error: 'card declined',
      event: 'retry',
    },
  ]);
}

async function otel() {
  const { SpanKind, SpanStatusCode, trace } = await import('@opentelemetry/api');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const { NodeTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-node');
  const { ZipkinExporter } = await import('@opentelemetry/exporter-zipkin');
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new BatchSpanProcessor(new ZipkinExporter())],
  });
  provider.register();
  const spans = [];
  let traceId = '';
  trace.getTracer('smoke').startActiveSpan('GET /checkout', { kind: SpanKind.SERVER }, (root) => {
    root.setAttributes({ 'app.str': 'größe', 'app.int': 42 });
    trace.getTracer('smoke').startActiveSpan('charge', { kind: SpanKind.CLIENT }, (child) => {
      child.addEvent('retry');
      child.setStatus({ code: SpanStatusCode.ERROR, message: 'card declined' });
      child.end();
      const parent = root.spanContext().spanId;
      traceId = root.spanContext().traceId;
      const id = child.spanContext().spanId;
      spans.push({
        id,
        parent,
        name: 'charge',
        kind: 'client',
        error: 'card declined',
        event: 'retry',
      });
    });
    root.end();
    const tags = { 'app.str': 'größe', 'app.int': '42' };
    spans.push({
      id: root.spanContext().spanId,
      parent: '',
      name: 'GET /checkout',
      kind: 'server',
      tags,
    });
  });
  await provider.shutdown();
  print(traceId, spans);
}

async function jaeger(reporter, sampler) {
  const { initTracer } = require('jaeger-client');
  const config = { serviceName: service, sampler, reporter: { flushIntervalMs: 100, ...reporter } };
  const tracer = initTracer(config, {});
  if (sampler.type === 'remote') await new Promise((resolve) => setTimeout(resolve, 2500));
  const root = tracer.startSpan('GET /checkout', {
    tags: { 'span.kind': 'server', 'app.str': 'größe', 'app.bool': true },
  });
  const child = tracer.startSpan('charge', {
    childOf: root,
    tags: { 'span.kind': 'client', error: true },
  });
  child.log({ event: 'retry', attempt: 2 });
  child.finish();
  root.finish();
  const hex = (context) => context.toString().split(':');
  const [traceId, rootId] = hex(root.context());
  const [, childId] = hex(child.context());
  const sampled = root.context().isSampled();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await new Promise((resolve) => tracer.close(resolve));
  const tags = { 'app.str': 'größe', 'app.bool': true };
  const [id, parent] = [childId.padStart(16, '0'), rootId.padStart(16, '0')];
  console.log(
    JSON.stringify({
      traceId: traceId.padStart(16, '0'),
      sampled,
      spans: [
        { id: parent, parent: '', name: 'GET /checkout', kind: 'server', tags },
        { id, parent, name: 'charge', kind: 'client', tags: { error: true }, event: 'retry' },
      ],
    }),
  );
}

const always = { type: 'const', param: 1 };
const [host, port] = (to ?? '').split(':');
const programs = {
  'zipkin-js-v1': () => zipkinJs('JSON_V1'),
  'zipkin-js-v2': () => zipkinJs('JSON_V2'),
  otel,
  'jaeger-udp': () => jaeger({ agentHost: host, agentPort: Number(port) }, always),
  // The client's own default rate until it has asked; then what it was told.
  'jaeger-remote': () =>
    jaeger(
      { agentHost: '127.0.0.1', agentPort: 9 },
      { type: 'remote', param: 0.5, host, port: Number(port), refreshIntervalMs: 500 },
    ),
  'jaeger-http': () => jaeger({ collectorEndpoint: `${to}/api/traces` }, always),
};
await programs[tracer]();
process.exit(0);
