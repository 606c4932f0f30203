// What was read back, compared with what a tracer's program recorded: by Jaeger's API and by Zipkin's.
import assert from 'node:assert/strict';
import type { JaegerSpan, JaegerTrace } from '../harness/jaeger.ts';
import type { ZipkinSpan } from '../harness/zipkin.ts';
import type { Recorded, RecordedSpan } from './tracer.ts';

/** Programs run just before. */
const AGE_MICROS_MAX = 120e6;

export function assertJaeger(trace: JaegerTrace, recorded: Recorded, service: string): void {
  assert.equal(trace.traceID, short(recorded.traceId));
  assert.equal(trace.spans.length, recorded.spans.length);
  for (const span of recorded.spans) assertJaegerSpan(trace, span, service);
}

function assertJaegerSpan(trace: JaegerTrace, expected: RecordedSpan, service: string): void {
  const shown = trace.spans.find((span) => span.spanID === expected.id);
  assert.ok(shown, `span ${expected.id} (${expected.name})`);
  assert.equal(shown.operationName, expected.name);
  const parents = shown.references.map((reference) => [reference.refType, reference.spanID]);
  assert.deepEqual(parents, expected.parent === '' ? [] : [['CHILD_OF', expected.parent]]);
  assert.equal(trace.processes[shown.processID]?.serviceName, service);
  assert.equal(tagOf(shown, 'span.kind'), expected.kind);
  for (const [key, value] of Object.entries(expected.tags ?? {})) {
    assert.equal(tagOf(shown, key), value, key);
  }
  if (expected.error !== undefined) {
    assert.equal(tagOf(shown, 'error'), true);
    assert.equal(tagOf(shown, 'otel.status_description'), expected.error);
  }
  assertTimes(shown.startTime, shown.duration);
  if (expected.event === undefined) return;
  const fields = shown.logs.flatMap((log) => log.fields);
  assert.ok(
    fields.some(({ key, value }) => key === 'event' && value === expected.event),
    `event ${expected.event}`,
  );
}

function tagOf(span: JaegerSpan, key: string): unknown {
  return span.tags.find((tag) => tag.key === key)?.value;
}

/** Zipkin knows texts only, shows names in lower case, and no service where none was told. */
export function assertZipkin(
  spans: readonly ZipkinSpan[],
  recorded: Recorded,
  service: string | undefined,
): void {
  assert.equal(spans.length, recorded.spans.length);
  for (const expected of recorded.spans) {
    const shown = spans.find((span) => span.id === expected.id);
    assert.ok(shown, `span ${expected.id} (${expected.name}) by Zipkin's API`);
    assert.equal(shown.traceId, short(recorded.traceId));
    assert.equal(shown.parentId ?? '', expected.parent);
    assert.equal(shown.name, expected.name.toLowerCase());
    assert.equal(shown.kind, expected.kind.toUpperCase());
    assert.equal(shown.localEndpoint?.serviceName, service?.toLowerCase());
    const { error, ...tags } = expected.tags ?? {};
    for (const [key, value] of Object.entries(tags)) {
      assert.equal(shown.tags?.[key], String(value), key);
    }
    // Zipkin takes the tag for an error, whatever it says.
    if (error === true) assert.ok(shown.tags !== undefined && 'error' in shown.tags);
    if (expected.error !== undefined) assert.equal(shown.tags?.['error'], expected.error);
    assertTimes(shown.timestamp ?? 0, shown.duration ?? 0);
    if (expected.event !== undefined) assertAnnotation(shown, expected.event);
  }
}

/** The specification of OpenTelemetry writes an event's attributes into the text, behind its name. */
function assertAnnotation(shown: ZipkinSpan, event: string): void {
  const texts = (shown.annotations ?? []).map(({ value }) => value);
  const quoted = `${JSON.stringify(event)}: {`;
  assert.ok(
    texts.some((text) => text === event || text.startsWith(quoted)),
    `annotation ${event}, got ${JSON.stringify(texts)}`,
  );
}

function assertTimes(startMicros: number, durationMicros: number): void {
  assert.ok(Math.abs(startMicros - Date.now() * 1000) < AGE_MICROS_MAX && durationMicros >= 0);
}

/** Both APIs show a trace id of 64 bits without zeros before it. */
function short(traceId: string): string {
  return traceId.replace(/^0{16}/, '');
}
