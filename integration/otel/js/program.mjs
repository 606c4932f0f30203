// Sends a few traces through the stock OpenTelemetry SDK and prints what the SDK recorded, as JSON.
// Exits 0 only when every export was accepted. Settings are the SDK's own:
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_COMPRESSION; OTEL_EXPORTER_OTLP_PROTOCOL chooses
// the exporter.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const EXPORTERS = {
  grpc: '@opentelemetry/exporter-trace-otlp-grpc',
  'http/json': '@opentelemetry/exporter-trace-otlp-http',
  'http/protobuf': '@opentelemetry/exporter-trace-otlp-proto',
};
const STATUS = { 0: 'unset', 1: 'ok', 2: 'error' };

const recorded = [];
const recorder = {
  onStart() {},
  onEnd: (span) => recorded.push(span),
  forceFlush: async () => {},
  shutdown: async () => {},
};
const { OTLPTraceExporter } = await import(EXPORTERS[process.env.OTEL_EXPORTER_OTLP_PROTOCOL]);
const resource = defaultResource().merge(
  resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME, 'app.pods': 3 }),
);
const exporter = new OTLPTraceExporter();
let failed = 0;
const counting = {
  export: (spans, done) =>
    exporter.export(spans, (result) => {
      if (result.code !== 0) {
        failed += 1;
        console.error(result.error);
      }
      done(result);
    }),
  forceFlush: () => exporter.forceFlush(),
  shutdown: () => exporter.shutdown(),
};
const provider = new NodeTracerProvider({
  resource,
  spanProcessors: [recorder, new BatchSpanProcessor(counting)],
});
provider.register();
await Promise.all(Array.from({ length: Number(process.env.SMOKE_TRACES) }, checkout));
await provider.shutdown();
console.log(
  JSON.stringify({ resource: attributes(resource.attributes), spans: recorded.map(describe) }),
);
process.exitCode = failed === 0 ? 0 : 1;

async function checkout() {
  const tracer = trace.getTracer('smoke', '1.0.0');
  await tracer.startActiveSpan('GET /checkout', { kind: SpanKind.SERVER }, async (root) => {
    root.setAttributes({
      'app.str': 'größe',
      'app.int': 42,
      'app.double': 2.5,
      'app.bool': true,
      'app.strs': ['a', 'ü'],
      'app.ints': [1, 2, 3],
      'app.doubles': [0.5, 1.5],
      'app.bools': [true, false],
    });
    // Lets the other traces run in between, so that spans of several are mixed in one request.
    await new Promise((resolve) => setTimeout(resolve, 1));
    const charge = tracer.startSpan('charge', { kind: SpanKind.CLIENT });
    charge.addEvent('retry', { attempt: 2, reason: 'timeout' });
    charge.setStatus({ code: SpanStatusCode.ERROR, message: 'card declined' });
    charge.end();
    const publish = tracer.startSpan('orders publish', { kind: SpanKind.PRODUCER });
    publish.end();
    const worker = trace.getTracer('smoke.worker');
    const links = [{ context: publish.spanContext() }];
    const handle = worker.startSpan('orders process', { kind: SpanKind.CONSUMER, links });
    handle.setStatus({ code: SpanStatusCode.OK });
    handle.end();
    worker.startSpan('render', {}, context.active()).end();
    root.end();
  });
}

function describe(span) {
  return {
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? '',
    name: span.name,
    kind: SpanKind[span.kind].toLowerCase(),
    startUnixNanos: nanos(span.startTime),
    endUnixNanos: nanos(span.endTime),
    attributes: attributes(span.attributes),
    events: span.events.map((event) => ({
      name: event.name,
      timeUnixNanos: nanos(event.time),
      attributes: attributes(event.attributes ?? {}),
    })),
    links: span.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId })),
    status: STATUS[span.status.code],
    statusMessage: span.status.message ?? '',
    scopeName: span.instrumentationScope.name,
    scopeVersion: span.instrumentationScope.version ?? '',
  };
}

function nanos([seconds, rest]) {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(rest));
}

// Ints are printed as text: a JSON reader would lose digits beyond 2^53.
function attributes(bag) {
  return Object.entries(bag).map(([key, value]) => {
    if (Array.isArray(value)) return { key, type: 'array', value };
    if (typeof value === 'string') return { key, type: 'string', value };
    if (typeof value === 'boolean') return { key, type: 'bool', value };
    if (Number.isInteger(value)) return { key, type: 'int', value: String(value) };
    return { key, type: 'double', value };
  });
}
