// Several serial senders, as SDKs are: each sends one request after the other, and the same bytes
// again until they are acknowledged. Remembers what was acknowledged; the rest may be lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exporter, grpcExporter, httpExporter } from './exporter.ts';
import { getTraces } from './jaeger.ts';
import { RequestTemplate } from './request_template.ts';
import type { Ports } from './spanhouse.ts';

/** A few spans in a trace, one trace in a request: a lost or doubled span shows in its trace. */
export const SPANS_PER_TRACE = 8;
const RETRY_MS = 50;
/** Enough to see what is wrong; a lost disk would fill the screen. */
const DAMAGE_MAX = 10;
/** Ids in one URL: 33 bytes each, well below the 16 KiB that headers may have. */
const IDS_PER_QUERY = 100;

export interface LoadOptions {
  /** Default: as quickly as it is answered. What was missed during an outage is not caught up. */
  readonly requestsPerSecond?: number;
  /** One trace in a request; default SPANS_PER_TRACE. */
  readonly spans?: number;
}

export class Load {
  /** Trace ids, in the order in which they were acknowledged. */
  readonly acknowledged: string[] = [];
  /** Final refusals of good spans, and partial successes: there must be none. */
  readonly refused: string[] = [];
  retries = 0;
  /** From a request's first refusal, or lost answer, to the moment when it was taken. */
  longestRefusalMs = 0;
  readonly spansPerTrace: number;
  readonly #exporters: readonly Exporter[];
  /** Between two requests of one sender. */
  readonly #everyMs: number;
  readonly #senders: Promise<void>[];
  #stopping = false;

  constructor(service: string, exporters: readonly Exporter[], options: LoadOptions = {}) {
    this.#exporters = exporters;
    this.spansPerTrace = options.spans ?? SPANS_PER_TRACE;
    this.#everyMs = (1000 * exporters.length) / (options.requestsPerSecond ?? Infinity);
    const template = new RequestTemplate(service, this.spansPerTrace);
    this.#senders = exporters.map((exporter) => this.#send(template, exporter));
  }

  async #send(template: RequestTemplate, exporter: Exporter): Promise<void> {
    for (let dueMs = performance.now(); !this.#stopping; ) {
      await sleep(Math.max(0, dueMs - performance.now()));
      dueMs = Math.max(dueMs + this.#everyMs, performance.now());
      const { bytes: request, traceId } = template.next();
      let refusedAtMs = 0;
      while (!(await this.#deliver(exporter, request, traceId))) {
        if (this.#stopping) return;
        if (refusedAtMs === 0) refusedAtMs = performance.now();
        await sleep(RETRY_MS);
      }
      if (refusedAtMs === 0) continue;
      this.longestRefusalMs = Math.max(this.longestRefusalMs, performance.now() - refusedAtMs);
    }
  }

  /** True when there is nothing more to do for this request. */
  async #deliver(exporter: Exporter, request: Uint8Array, traceId: string): Promise<boolean> {
    const outcome = await exporter.export(request);
    if (outcome.kind === 'retry') {
      this.retries++;
      return false;
    }
    if (outcome.kind === 'refused') this.refused.push(outcome.reason);
    else if (outcome.partial.rejectedSpans > 0) this.refused.push(outcome.partial.errorMessage);
    else this.acknowledged.push(traceId);
    return true;
  }

  /** Ends each sender after the request that it is sending now. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#senders);
    for (const exporter of this.#exporters) exporter.close();
  }
}

/** Two senders over HTTP and two over gRPC. */
export function mixedExporters(ports: Ports): Exporter[] {
  const http = `http://127.0.0.1:${ports.otlpHttp}`;
  const grpc = `127.0.0.1:${ports.otlpGrpc}`;
  return [httpExporter(http), httpExporter(http), grpcExporter(grpc), grpcExporter(grpc)];
}

/**
 * Asks `query` for traces that a Load sent, and describes each that is not there whole with every
 * span once, up to DAMAGE_MAX of them. Empty: all is well.
 */
export async function findDamage(
  query: string,
  traceIds: readonly string[],
  spansPerTrace = SPANS_PER_TRACE,
): Promise<string[]> {
  const damage: string[] = [];
  for (let at = 0; at < traceIds.length; at += IDS_PER_QUERY) {
    const wanted = traceIds.slice(at, at + IDS_PER_QUERY);
    const traces = await getTraces(query, wanted);
    const spans = new Map(traces.map((trace) => [trace.traceID, trace.spans]));
    for (const id of wanted) {
      const shown = spans.get(id) ?? [];
      const distinct = new Set(shown.map((span) => span.spanID)).size;
      if (shown.length !== spansPerTrace || distinct !== spansPerTrace) {
        damage.push(`${id}: ${shown.length} spans shown, ${distinct} of ${spansPerTrace} distinct`);
      }
    }
  }
  return damage.slice(0, DAMAGE_MAX);
}
