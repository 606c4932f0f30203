// Says what Jaeger's classic JSON must show for what an SDK sent, and compares to the last tag.
// Mapping: reference of the classic API, OTLP → UI.
import assert from 'node:assert/strict';
import type { JaegerSpan, JaegerTag, JaegerTrace } from '../harness/jaeger.ts';
import type { Sent, SentAttribute, SentSpan } from './sent.ts';

/** Throws an AssertionError that shows the first difference between a trace and what was sent. */
export function assertSameTrace(trace: JaegerTrace, sent: Sent): void {
  const expected = sent.spans.filter((span) => span.traceId === trace.traceID);
  const shown = new Map(trace.spans.map((span) => [span.spanID, span]));
  assert.equal(trace.spans.length, shown.size, 'each span is shown once');
  assert.deepEqual([...shown.keys()].sort(), expected.map((span) => span.spanId).sort());
  for (const span of expected) {
    const got = shown.get(span.spanId);
    assert.ok(got);
    assert.deepEqual(comparable(got, trace), expectedSpan(span, sent.resource), span.name);
  }
}

function comparable(span: JaegerSpan, trace: JaegerTrace) {
  const process = trace.processes[span.processID];
  assert.ok(process, `process ${span.processID} of ${span.operationName}`);
  return {
    traceID: span.traceID,
    spanID: span.spanID,
    operationName: span.operationName,
    references: span.references,
    startTime: span.startTime,
    duration: span.duration,
    tags: sorted(span.tags),
    logs: span.logs.map((log) => ({ timestamp: log.timestamp, fields: sorted(log.fields) })),
    service: process.serviceName,
    processTags: sorted(process.tags),
  };
}

function expectedSpan(span: SentSpan, resource: readonly SentAttribute[]) {
  const { traceId, parentSpanId } = span;
  const parent = { refType: 'CHILD_OF', traceID: traceId, spanID: parentSpanId };
  const links = span.links.map((link) => ({
    refType: 'FOLLOWS_FROM',
    traceID: link.traceId,
    spanID: link.spanId,
  }));
  return {
    traceID: traceId,
    spanID: span.spanId,
    operationName: span.name,
    references: parentSpanId === '' ? links : [parent, ...links],
    startTime: micros(span.startUnixNanos),
    duration: Number((BigInt(span.endUnixNanos) - BigInt(span.startUnixNanos)) / 1000n),
    tags: sorted([...span.attributes.map(expectedTag), ...synthesised(span)]),
    logs: span.events.map((event) => ({
      timestamp: micros(event.timeUnixNanos),
      fields: sorted([
        { key: 'event', type: 'string', value: event.name },
        ...event.attributes.map(expectedTag),
      ]),
    })),
    service: resource.find(({ key }) => key === 'service.name')?.value,
    processTags: sorted(resource.filter(({ key }) => key !== 'service.name').map(expectedTag)),
  };
}

function synthesised(span: SentSpan): JaegerTag[] {
  const text = (key: string, value: string): JaegerTag => ({ key, type: 'string', value });
  return [
    text('otel.scope.name', span.scopeName),
    ...(span.scopeVersion === '' ? [] : [text('otel.scope.version', span.scopeVersion)]),
    text('span.kind', span.kind),
    ...(span.status === 'unset' ? [] : [text('otel.status_code', span.status.toUpperCase())]),
    ...(span.status === 'error' ? [{ key: 'error', type: 'bool', value: true }] : []),
    ...(span.statusMessage === '' ? [] : [text('otel.status_description', span.statusMessage)]),
  ];
}

function expectedTag({ key, type, value }: SentAttribute): JaegerTag {
  if (type === 'string' || type === 'bool') return { key, type, value };
  if (type === 'double') return { key, type: 'float64', value };
  // Arrays have no type of their own in Jaeger's model: they are shown as their JSON.
  if (type === 'array') return { key, type: 'string', value: JSON.stringify(value) };
  const number = Number(value);
  return { key, type: 'int64', value: Number.isSafeInteger(number) ? number : value };
}

function micros(nanos: string): number {
  return Number(BigInt(nanos) / 1000n);
}

function sorted(tags: readonly JaegerTag[]): JaegerTag[] {
  return [...tags].sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
}
