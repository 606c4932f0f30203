// Metrics in Prometheus form. A thin wall around the library, which has changed its name once.
// Label values are closed sets of ours, never anything out of a request (P15).

import { Counter, Gauge, Histogram, type LabelValues, Registry } from '@prometheus-io/client';
import { type HttpListenerOptions, type Listener, openHttp } from './http_listener.ts';

export type Labels<L extends string> = Readonly<Record<L, string>>;

export interface CounterHandle<L extends string> {
  /** Adds `count`, 1 unless told. */
  add(labels: Labels<L>, count?: number): void;
}

export interface HistogramHandle<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}

/** Where requests of ours fall: from a lone one of 2 ms to a stall of 10 s. */
export const SECONDS_BUCKETS: readonly number[] = [
  0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Ours, or one of the names that every Prometheus client has for processes. */
const NAME = /^(spanhouse|process|nodejs)_[a-z0-9_]{1,80}$/;

export class Metrics {
  readonly #registry = new Registry(Registry.PROMETHEUS_CONTENT_TYPE);

  /** Name ends in `_total`. Throws on a name that is taken or not of our style, as all below do. */
  counter<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
  ): CounterHandle<L> {
    const counter = new Counter<L>({ ...this.#named(name, help), labelNames });
    // A counter that appears with its first event hides that event from rate().
    if (labelNames.length === 0) counter.inc(0);
    return { add: (labels, count = 1) => counter.inc(labels as LabelValues<L>, count) };
  }

  /** `read` is called at each scrape. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...this.#named(name, help),
      collect() {
        this.set(read());
      },
    });
  }

  /** One value for each value of the label; `read` is called at each scrape. */
  gauges<L extends string>(
    name: string,
    help: string,
    label: L,
    read: () => Iterable<readonly [value: string, number: number]>,
  ): void {
    new Gauge<string>({
      ...this.#named(name, help),
      labelNames: [label],
      collect() {
        this.reset();
        for (const [value, number] of read()) this.set({ [label]: value }, number);
      },
    });
  }

  /** The same by several labels. */
  gaugesBy<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: () => Iterable<readonly [labels: Labels<L>, number: number]>,
  ): void {
    new Gauge<L>({
      ...this.#named(name, help),
      labelNames,
      collect() {
        this.reset();
        for (const [labels, number] of read()) this.set(labels as LabelValues<L>, number);
      },
    });
  }

  /** Name ends in its unit: `_seconds`, `_bytes`, `_spans`. */
  histogram<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets: readonly number[] = SECONDS_BUCKETS,
  ): HistogramHandle<L> {
    const histogram = new Histogram<L>({
      ...this.#named(name, help),
      labelNames,
      buckets: [...buckets],
    });
    return { observe: (labels, value) => histogram.observe(labels as LabelValues<L>, value) };
  }

  /** A counter that someone else counts: `read` gives its total at each scrape. */
  counterFrom(name: string, help: string, read: () => number): void {
    new Counter({
      ...this.#named(name, help),
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus text format 0.0.4. */
  expose(): Promise<string> {
    return this.#registry.metrics();
  }

  #named(name: string, help: string): { name: string; help: string; registers: [Registry<never>] } {
    if (!NAME.test(name)) throw new Error(`${name} is no metric name: spanhouse_… was expected`);
    return { name, help, registers: [this.#registry as Registry<never>] };
  }
}

type Where = Omit<HttpListenerOptions, 'handler'>;

/** Serves GET /metrics. */
export function openMetrics(metrics: Metrics, at: Where): Promise<Listener> {
  return openHttp({
    ...at,
    handler: async (request, response) => {
      if (request.url?.split('?', 1)[0] !== '/metrics') {
        response.writeHead(404, { 'content-type': 'text/plain' });
        response.end('metrics are at /metrics\n');
        return;
      }
      const body = await metrics.expose();
      response.writeHead(200, { 'content-type': metrics.contentType });
      response.end(body);
    },
  });
}
