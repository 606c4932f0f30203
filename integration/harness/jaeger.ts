// Reading traces back by Jaeger's classic HTTP API, as a user with curl would.
import type { Agent } from 'node:http';
import { call, getJson } from './http.ts';

export interface JaegerTag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly {
    readonly refType: string;
    readonly traceID: string;
    readonly spanID: string;
  }[];
  /** Microseconds since 1970. */
  readonly startTime: number;
  /** Microseconds. */
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly JaegerTag[] }[];
  readonly processID: string;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<
    Record<string, { readonly serviceName: string; readonly tags: readonly JaegerTag[] }>
  >;
}

interface Envelope<T> {
  readonly data: readonly T[];
}

/** The trace, or undefined when the answer is 404. Throws on every other answer. */
export async function getTrace(base: string, traceId: string): Promise<JaegerTrace | undefined> {
  const answer = await call(`${base}/api/traces/${traceId}`);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`trace by id: ${answer.status}: ${answer.body}`);
  return (JSON.parse(answer.body.toString()) as Envelope<JaegerTrace>).data[0];
}

/** Several traces by id in one request; those that are not stored are left out. */
export async function getTraces(
  base: string,
  traceIds: readonly string[],
  agent?: Agent,
): Promise<readonly JaegerTrace[]> {
  const query = new URLSearchParams(traceIds.map((id): [string, string] => ['traceID', id]));
  const answer = await getJson(`${base}/api/traces?${query}`, agent);
  return (answer as Envelope<JaegerTrace>).data;
}

export async function searchTraces(
  base: string,
  parameters: Readonly<Record<string, string>>,
): Promise<readonly JaegerTrace[]> {
  const answer = await getJson(`${base}/api/traces?${new URLSearchParams(parameters)}`);
  return (answer as Envelope<JaegerTrace>).data;
}

export async function getServices(base: string): Promise<readonly string[]> {
  return ((await getJson(`${base}/api/services`)) as Envelope<string>).data;
}
