// Jaeger's correction of clocks (jaeger.md §2.6, step 4): where a span of another host does not fit
// into its parent, it is moved there, and what hangs below it on the same host with it. Off unless a
// limit is set, as in Jaeger; then it only says what it would have done.

import type { Resource, Span } from '../../../model/span.ts';
import type { AssembledSpan } from '../../../model/trace/assemble.ts';
import { formatGoDuration } from './go_duration.ts';

interface Placed {
  readonly spanId: string;
  /** After the correction. */
  readonly startUnixNanos: bigint;
  readonly durationNanos: bigint;
  readonly host: string;
  readonly deltaNanos: bigint;
}

/** One for each trace, given its spans as `assemble` orders them: each below its parent. */
export class ClockSkew {
  readonly #maxNanos: bigint;
  /** The span before, and all above it. */
  readonly #above: Placed[] = [];
  readonly #hosts = new Map<Resource, string>();

  /** `maxNanos`: what a span may be moved by at most; 0 moves none. */
  constructor(maxNanos: bigint) {
    this.#maxNanos = maxNanos;
  }

  adjust(assembled: AssembledSpan): AssembledSpan {
    const { span } = assembled;
    const parent = this.#parentOf(span);
    const host = this.#hostOf(span.resource);
    const deltaNanos = deltaOf(span, host, parent);
    const warnings: string[] = [];
    if (parent === undefined && span.parentSpanId !== '') {
      warnings.push(
        `parent span ID=${span.parentSpanId} is not in the trace; skipping clock skew adjustment`,
      );
    }
    const moved = this.#move(span, deltaNanos, warnings);
    const { spanId, startUnixNanos, durationNanos } = moved;
    this.#above.push({ spanId, startUnixNanos, durationNanos, host, deltaNanos });
    if (warnings.length === 0) return assembled;
    return { span: moved, warnings: [...assembled.warnings, ...warnings] };
  }

  #parentOf({ parentSpanId }: Span): Placed | undefined {
    for (let last = this.#above.at(-1); last !== undefined; last = this.#above.at(-1)) {
      if (last.spanId === parentSpanId) return last;
      this.#above.pop();
    }
    return undefined;
  }

  #move(span: Span, deltaNanos: bigint, warnings: string[]): Span {
    if (deltaNanos === 0n) return span;
    const delta = formatGoDuration(deltaNanos);
    const size = deltaNanos < 0n ? -deltaNanos : deltaNanos;
    if (this.#maxNanos === 0n) {
      warnings.push(`clock skew adjustment disabled; not applying calculated delta of ${delta}`);
      return span;
    }
    if (size > this.#maxNanos) {
      warnings.push(
        `max clock skew adjustment delta of ${formatGoDuration(this.#maxNanos)} exceeded; ` +
          `not applying calculated delta of ${delta}`,
      );
      return span;
    }
    warnings.push(`This span's timestamps were adjusted by ${delta}`);
    return {
      ...span,
      startUnixNanos: span.startUnixNanos + deltaNanos,
      events: span.events.map((event) => ({
        ...event,
        timeUnixNanos: BigInt.asUintN(64, event.timeUnixNanos + deltaNanos),
      })),
    };
  }

  #hostOf(resource: Resource): string {
    const known = this.#hosts.get(resource);
    if (known !== undefined) return known;
    const host = hostKey(resource);
    this.#hosts.set(resource, host);
    return host;
  }
}

/** What tells one clock from another: host.id, else host.ip, else host.name; '' is not known. */
function hostKey({ attributes }: Resource): string {
  for (const key of ['host.id', 'host.ip', 'host.name']) {
    const value = attributes.find((attribute) => attribute.key === key)?.value;
    if (value?.type === 'string') return value.value;
    const [first] = key === 'host.ip' && value?.type === 'array' ? value.value : [];
    if (first?.type === 'string') return first.value;
  }
  return '';
}

/** By how much the clock of the span is behind that of its parent, which has been corrected. */
function deltaOf(span: Span, host: string, parent: Placed | undefined): bigint {
  if (parent === undefined) return 0n;
  if (host === parent.host && host !== '') return parent.deltaNanos;
  const [start, parentStart] = [span.startUnixNanos, parent.startUnixNanos];
  const spare = parent.durationNanos - span.durationNanos;
  // Longer than its parent: not waited for, or given up on. It can only not begin before it.
  if (spare < 0n) return start < parentStart ? parentStart - start : 0n;
  const isWithin =
    start >= parentStart && start + span.durationNanos <= parentStart + parent.durationNanos;
  // The way there and the way back are taken to be equally long.
  return isWithin ? 0n : parentStart + spare / 2n - start;
}
