// The check that every SDK program passes: what its SDK recorded is what Spanhouse shows.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { getServices, getTrace, searchTraces } from '../harness/jaeger.ts';
import type { Spanhouse } from '../harness/spanhouse.ts';
import { assertSameTrace } from './compare.ts';
import type { Step } from './installation.ts';
import type { Sent } from './sent.ts';

export interface Variant {
  readonly protocol: 'grpc' | 'http/protobuf' | 'http/json';
  readonly compression?: 'gzip' | 'deflate';
}

// Several traces at once, so that one request carries spans of many.
const TRACES = 20;
const SPANS_PER_TRACE = 5;
const PROGRAM_MS = 60_000;

export function nameOf(variant: Variant): string {
  return variant.compression === undefined
    ? variant.protocol
    : `${variant.protocol} ${variant.compression}`;
}

/** Runs the program against `spanhouse`, and compares by id and by search at once afterwards. */
export async function checkSdk(spanhouse: Spanhouse, program: Step, variant: Variant) {
  const service = `smoke ${nameOf(variant)}`;
  const sent = await send(spanhouse, program, variant, service);
  assert.equal(sent.spans.length, TRACES * SPANS_PER_TRACE);
  assertProgramSaysWhatWasAsked(sent, service);

  const traceIds = [...new Set(sent.spans.map((span) => span.traceId))].sort();
  assert.equal(traceIds.length, TRACES);
  for (const id of traceIds) {
    const trace = await getTrace(spanhouse.query, id);
    assert.ok(trace, `trace ${id} is not there although the program's export succeeded`);
    assertSameTrace(trace, sent);
  }
  assert.ok((await getServices(spanhouse.query)).includes(service));
  await assertFound(spanhouse, sent, traceIds, { service });
  const tags = JSON.stringify({ 'app.str': 'größe', 'app.int': '42', 'app.bool': 'true' });
  await assertFound(spanhouse, sent, traceIds, { service, operation: 'GET /checkout', tags });
  await assertFound(spanhouse, sent, traceIds, { service, operation: 'charge', tag: 'attempt:2' });
  await assertFound(spanhouse, sent, [], { service, operation: 'charge', tag: 'app.int:42' });
}

async function send(spanhouse: Spanhouse, program: Step, variant: Variant, service: string) {
  const port = variant.protocol === 'grpc' ? spanhouse.ports.otlpGrpc : spanhouse.ports.otlpHttp;
  const [command, ...args] = program;
  const { stdout } = await promisify(execFile)(command, args, {
    timeout: PROGRAM_MS,
    maxBuffer: 16 * 1024 * 1024,
    env: {
      ...process.env,
      SMOKE_TRACES: String(TRACES),
      OTEL_SERVICE_NAME: service,
      // "localhost", as the SDKs have it by default: some of them try IPv6 first.
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://localhost:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: variant.protocol,
      ...(variant.compression && { OTEL_EXPORTER_OTLP_COMPRESSION: variant.compression }),
    },
  });
  return JSON.parse(stdout) as Sent;
}

/** Guards the comparison itself: a program that records nothing would agree with anything. */
function assertProgramSaysWhatWasAsked(sent: Sent, service: string): void {
  const valueIn = (list: Sent['resource'], key: string) =>
    list.find((attribute) => attribute.key === key)?.value;
  const named = (name: string) => sent.spans.find((span) => span.name === name);
  assert.equal(valueIn(sent.resource, 'service.name'), service);
  assert.ok(valueIn(sent.resource, 'telemetry.sdk.version'));
  const root = named('GET /checkout');
  assert.ok(root);
  assert.equal(root.parentSpanId, '');
  const literal = { 'app.str': 'größe', 'app.int': '42', 'app.double': 2.5, 'app.bool': true };
  for (const [key, value] of Object.entries(literal)) {
    assert.equal(valueIn(root.attributes, key), value);
  }
  assert.deepEqual(valueIn(root.attributes, 'app.ints'), [1, 2, 3]);
  const charge = named('charge');
  assert.equal(charge?.status, 'error');
  assert.equal(charge?.statusMessage, 'card declined');
  assert.equal(charge?.events[0]?.name, 'retry');
  assert.equal(named('orders process')?.links.length, 1);
  const kinds = new Set(sent.spans.map((span) => span.kind));
  assert.deepEqual([...kinds].sort(), ['client', 'consumer', 'internal', 'producer', 'server']);
}

async function assertFound(
  spanhouse: Spanhouse,
  sent: Sent,
  traceIds: readonly string[],
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  const found = await searchTraces(spanhouse.query, { limit: String(2 * TRACES), ...parameters });
  const ids = found.map((trace) => trace.traceID).sort();
  assert.deepEqual(ids, traceIds, JSON.stringify(parameters));
  for (const trace of found) assertSameTrace(trace, sent);
}
