// A span in the making. Its clock moves as a scenario does work in it, so that children lie within
// parents and a waiting parent is as long as what it waits for. Times are nanoseconds since the
// trace began.

import type { Span, SpanEvent, SpanKind, SpanLink, StatusCode } from '../../model/span.ts';
import { attributes, type Plain } from './attribute.ts';
import type { Library, Pod, Pods } from './pods.ts';
import type { Random } from './random.ts';

const NANOS_PER_MS = 1e6;

/** W3C: sampled (1), and the "parent is remote is known" bit that SDKs set (0x100). */
const FLAGS = 0x101;

export interface OperationStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly library: Library;
  readonly attributes?: Readonly<Record<string, Plain>>;
  /** Default: the pod of the parent. */
  readonly pod?: Pod;
}

/** All spans of one trace while its scenario runs. */
export class TraceDraft {
  readonly traceId: string;
  readonly random: Random;
  readonly pods: Pods;
  readonly #operations: Operation[] = [];

  constructor(random: Random, pods: Pods) {
    this.random = random;
    this.pods = pods;
    this.traceId = random.hex(16);
  }

  start(
    parent: Operation | undefined,
    pod: Pod,
    start: OperationStart,
    atNanos: number,
  ): Operation {
    const operation = new Operation(this, parent?.spanId ?? '', pod, start, atNanos);
    this.#operations.push(operation);
    return operation;
  }

  /** The finished spans; the last of them ends at `endUnixNanos`. */
  finish(endUnixNanos: bigint): readonly Span[] {
    const lengthNanos = Math.max(...this.#operations.map((operation) => operation.nowNanos));
    const startUnixNanos = endUnixNanos - BigInt(Math.round(lengthNanos));
    return this.#operations.map((operation) => operation.finish(startUnixNanos));
  }
}

export class Operation {
  readonly trace: TraceDraft;
  readonly spanId: string;
  readonly pod: Pod;
  nowNanos: number;
  readonly #start: OperationStart;
  readonly #startNanos: number;
  readonly #parentSpanId: string;
  readonly #attributes: Record<string, Plain>;
  readonly #events: { atNanos: number; name: string; attributes: Record<string, Plain> }[] = [];
  readonly #links: SpanLink[] = [];
  #status: StatusCode = 0;
  #statusMessage = '';

  constructor(
    trace: TraceDraft,
    parentSpanId: string,
    pod: Pod,
    start: OperationStart,
    atNanos: number,
  ) {
    this.trace = trace;
    this.spanId = trace.random.hex(8);
    this.pod = pod;
    this.nowNanos = atNanos;
    this.#start = start;
    this.#startNanos = atNanos;
    this.#parentSpanId = parentSpanId;
    this.#attributes = { ...start.attributes };
  }

  get random(): Random {
    return this.trace.random;
  }

  get failed(): boolean {
    return this.#status === 2;
  }

  /** Time passes here, log-normal around a median. */
  work(medianMs: number, sigma = 0.35): void {
    this.nowNanos += this.random.logNormal(medianMs, sigma) * NANOS_PER_MS;
  }

  /** A child that this one waits for. */
  child(start: OperationStart, body: (child: Operation) => void): Operation {
    const child = this.trace.start(this, start.pod ?? this.pod, start, this.nowNanos);
    body(child);
    this.nowNanos = child.nowNanos;
    this.work(0.02);
    return child;
  }

  /** Branches begin nearly together; this one waits for the last of them. */
  parallel(branches: readonly (() => void)[]): void {
    let latestNanos = this.nowNanos;
    for (const branch of branches) {
      const forkNanos = this.nowNanos;
      branch();
      latestNanos = Math.max(latestNanos, this.nowNanos);
      this.nowNanos = forkNanos;
      this.work(0.05);
    }
    this.nowNanos = Math.max(latestNanos, this.nowNanos);
  }

  set(record: Readonly<Record<string, Plain>>): void {
    Object.assign(this.#attributes, record);
  }

  event(name: string, record: Readonly<Record<string, Plain>>): void {
    this.#events.push({ atNanos: this.nowNanos, name, attributes: { ...record } });
  }

  link(to: Operation): void {
    this.#links.push({
      traceId: to.trace.traceId,
      spanId: to.spanId,
      traceState: '',
      attributes: attributes({ 'messaging.link': 'producer' }),
      droppedAttributesCount: 0,
      flags: FLAGS,
    });
  }

  /** `errorType` as in the convention's error.type: a status code or an exception's class. */
  fail(errorType: string, message = ''): void {
    this.#status = 2;
    this.#statusMessage = message;
    this.set({ 'error.type': errorType });
  }

  finish(traceStartUnixNanos: bigint): Span {
    const unixNanos = (nanos: number): bigint => traceStartUnixNanos + BigInt(Math.round(nanos));
    const start = unixNanos(this.#startNanos);
    const events: SpanEvent[] = this.#events.map((event) => ({
      timeUnixNanos: unixNanos(event.atNanos),
      name: event.name,
      attributes: attributes(event.attributes),
      droppedAttributesCount: 0,
    }));
    return {
      traceId: this.trace.traceId,
      spanId: this.spanId,
      parentSpanId: this.#parentSpanId,
      name: this.#start.name,
      service: this.pod.service,
      kind: this.#start.kind,
      startUnixNanos: start,
      durationNanos: unixNanos(this.nowNanos) - start,
      statusCode: this.#status,
      statusMessage: this.#statusMessage,
      traceState: '',
      flags: FLAGS,
      attributes: attributes(this.#attributes),
      events,
      links: this.#links,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
      resource: this.pod.resource,
      scope: this.pod.scopes[this.#start.library],
    };
  }
}
