// Runs one tracer's program against Spanhouse, and compares what is read back with what it recorded.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from '../harness/eventually.ts';
import { getTrace, type JaegerSpan, type JaegerTrace } from '../harness/jaeger.ts';
import type { Spanhouse } from '../harness/spanhouse.ts';
import type { Step } from '../otel/installation.ts';
import type { Recorded, RecordedSpan, Variant } from './tracer.ts';

const PROGRAM_MS = 60_000;

/** UDP and reporters that send after the program's last word. */
const SHOWN_MS = 20_000;

/** `address`: where the variant's door is, as its program wants it. */
export async function checkTracer(
  spanhouse: Spanhouse,
  program: Step,
  variant: Variant,
  address: string,
): Promise<void> {
  const service = `smoke-${variant.argument}`;
  const [command, ...args] = program;
  const { stdout } = await promisify(execFile)(command, [...args, variant.argument], {
    timeout: PROGRAM_MS,
    env: { ...process.env, ...variant.env?.(address), TRACES_TO: address, SERVICE: service },
  });
  const recorded = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Recorded;
  assert.equal(recorded.spans.length, 2);
  const trace = await eventually(`trace ${recorded.traceId}`, SHOWN_MS, async () => {
    const found = await getTrace(spanhouse.query, recorded.traceId);
    return found !== undefined && found.spans.length >= 2 ? found : undefined;
  });
  assert.equal(trace.traceID, recorded.traceId.replace(/^0{16}/, ''));
  assert.equal(trace.spans.length, 2);
  for (const span of recorded.spans) assertShown(trace, span, variant.service ?? service);
}

function assertShown(trace: JaegerTrace, expected: RecordedSpan, service: string): void {
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
  const now = Date.now() * 1000;
  assert.ok(Math.abs(shown.startTime - now) < 120e6 && shown.duration >= 0);
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
