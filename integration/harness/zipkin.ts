// Reading traces back by Zipkin's HTTP API, as a user with curl would.
import { call } from './http.ts';

export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly kind?: string;
  readonly name?: string;
  /** Microseconds since 1970. */
  readonly timestamp?: number;
  /** Microseconds. */
  readonly duration?: number;
  readonly localEndpoint?: { readonly serviceName?: string };
  readonly annotations?: readonly { readonly timestamp: number; readonly value: string }[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** The spans of a trace, or undefined when the answer is 404. Throws on every other answer. */
export async function getZipkinTrace(
  base: string,
  traceId: string,
): Promise<readonly ZipkinSpan[] | undefined> {
  const answer = await call(`${base}/zipkin/api/v2/trace/${traceId}`);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`Zipkin's trace: ${answer.status}: ${answer.body}`);
  return JSON.parse(answer.body.toString()) as ZipkinSpan[];
}
