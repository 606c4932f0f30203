// Runs one tracer's program, reads its trace back by both APIs and compares.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from '../harness/eventually.ts';
import { getTrace } from '../harness/jaeger.ts';
import { getZipkinTrace } from '../harness/zipkin.ts';
import type { Step } from '../otel/installation.ts';
import type { Shown } from './results.ts';
import { assertJaeger, assertZipkin } from './shown.ts';
import type { Recorded, Variant } from './tracer.ts';

const PROGRAM_MS = 60_000;

/** UDP and reporters that send after the program's last word. */
const SHOWN_MS = 20_000;

/** `query`: of a Spanhouse. `address`: where the variant's door is, as its program wants it. */
export async function checkTracer(
  query: string,
  program: Step,
  variant: Omit<Variant, 'door'>,
  address: string,
): Promise<Shown> {
  const service = `smoke-${variant.argument}`;
  const [command, ...args] = program;
  const { stdout } = await promisify(execFile)(command, [...args, variant.argument], {
    timeout: PROGRAM_MS,
    env: { ...process.env, ...variant.env?.(address), TRACES_TO: address, SERVICE: service },
  });
  const recorded = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Recorded;
  assert.equal(recorded.spans.length, 2);
  return checkShown(query, recorded, variant.tellsService === false ? undefined : service);
}

/** Waits until all its spans are there. `service`: undefined where the tracer told none. */
export async function checkShown(
  query: string,
  recorded: Recorded,
  service: string | undefined,
): Promise<Shown> {
  const { traceId, spans } = recorded;
  const trace = await eventually(`trace ${traceId}`, SHOWN_MS, async () => {
    const found = await getTrace(query, traceId);
    return found !== undefined && found.spans.length >= spans.length ? found : undefined;
  });
  assertJaeger(trace, recorded, service ?? 'unknown_service');
  const zipkin = (await getZipkinTrace(query, traceId)) ?? [];
  assertZipkin(zipkin, recorded, service);
  return { jaeger: trace.spans.length, zipkin: zipkin.length };
}
