// Several serial senders, as SDKs are: each sends one request after the other, and the same bytes
// again until they are acknowledged. Remembers what was acknowledged; the rest may be lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exporter, grpcExporter, httpExporter } from './exporter.ts';
import { getTraces } from './jaeger.ts';
import { encodeRequest, hex, traceOf } from './otlp.ts';
import type { Ports } from './spanhouse.ts';

/** A few spans in a trace, one trace in a request: a lost or doubled span shows in its trace. */
export const SPANS_PER_TRACE = 8;
const RETRY_MS = 50;
/** Enough to see what is wrong; a lost disk would fill the screen. */
const DAMAGE_MAX = 10;
/** Ids in one URL: 33 bytes each, well below the 16 KiB that headers may have. */
const IDS_PER_QUERY = 100;

export class Load {
  /** Trace ids, in the order in which they were acknowledged. */
  readonly acknowledged: string[] = [];
  /** Final refusals of good spans, and partial successes: there must be none. */
  readonly refused: string[] = [];
  retries = 0;
  /** From a request's first refusal, or lost answer, to the moment when it was taken. */
  longestRefusalMs = 0;
  readonly #exporters: readonly Exporter[];
  readonly #senders: Promise<void>[];
  #stopping = false;

  constructor(service: string, exporters: readonly Exporter[]) {
    this.#exporters = exporters;
    this.#senders = exporters.map((exporter) => this.#send(service, exporter));
  }

  async #send(service: string, exporter: Exporter): Promise<void> {
    while (!this.#stopping) {
      const spans = traceOf(SPANS_PER_TRACE);
      const request = encodeRequest(service, spans);
      const traceId = hex(spans[0]?.traceId ?? Buffer.alloc(0));
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
export async function findDamage(query: string, traceIds: readonly string[]): Promise<string[]> {
  const damage: string[] = [];
  for (let at = 0; at < traceIds.length; at += IDS_PER_QUERY) {
    const wanted = traceIds.slice(at, at + IDS_PER_QUERY);
    const traces = await getTraces(query, wanted);
    const spans = new Map(traces.map((trace) => [trace.traceID, trace.spans]));
    for (const id of wanted) {
      const shown = spans.get(id) ?? [];
      const distinct = new Set(shown.map((span) => span.spanID)).size;
      if (shown.length !== SPANS_PER_TRACE || distinct !== SPANS_PER_TRACE) {
        damage.push(
          `${id}: ${shown.length} spans shown, ${distinct} of ${SPANS_PER_TRACE} distinct`,
        );
      }
    }
  }
  return damage.slice(0, DAMAGE_MAX);
}
