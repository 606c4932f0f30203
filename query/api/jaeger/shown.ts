// The spans of a trace as Jaeger shows them: adjusted and in order, or as they are stored.

import { setImmediate } from 'node:timers/promises';
import type { Attribute, Span } from '../../../model/span.ts';
import { type AssembledSpan, assemble } from '../../../model/trace/assemble.ts';
import { Breath } from '../../breath.ts';
import { SPANS_PER_TRACE_MAX } from '../../get.ts';
import type { StoredTrace } from '../../stored_trace.ts';
import { Adjuster } from './adjust.ts';
import { ClockSkew } from './clock_skew.ts';

/** How a trace is to be shown. */
export interface View {
  /** Ids, order, times, attributes and links as they are stored. */
  readonly raw: boolean;
  /** Else a span of another host is moved by at most so much, to fit into its parent. */
  readonly clockSkewNanosMax: bigint;
}

/** undefined: let others run, there is more to come. */
export function* shownSpans(
  trace: StoredTrace,
  view: View,
): Generator<AssembledSpan | undefined, void> {
  if (view.raw) {
    for (let row = 0; row < trace.count; row++) yield { span: trace.span(row), warnings: [] };
    return;
  }
  const skew = new ClockSkew(view.clockSkewNanosMax);
  const adjuster = new Adjuster();
  const spanAt = (row: number): Span => trace.span(row);
  for (const one of assemble(trace.columns, spanAt)) {
    yield one && adjuster.adjust(skew.adjust(one));
  }
}

/** What a reader has to know of the trace as a whole. */
export function traceWarnings(trace: StoredTrace): readonly string[] {
  return trace.cut
    ? [`This trace has more than ${SPANS_PER_TRACE_MAX} spans; only so many are shown.`]
    : [];
}

/** Spans that one piece of an OTLP answer holds: those of a resource stand together within it. */
const CHUNK_SPANS = 1000;

/** Jaeger's place for warnings in OTLP. */
const WARNINGS_KEY = '@jaeger@warnings';

/**
 * The spans as OTLP has them, some at a time, so that a large trace is sent while it is made.
 * Warnings are an attribute; those of the trace are told by its first span.
 */
export async function* shownChunks(
  trace: StoredTrace,
  view: View,
): AsyncGenerator<readonly Span[], void> {
  const breath = new Breath();
  let first = view.raw ? [] : traceWarnings(trace);
  let chunk: Span[] = [];
  for (const one of shownSpans(trace, view)) {
    if (one === undefined) {
      await setImmediate();
      continue;
    }
    const { span, warnings } = one;
    chunk.push(warned(span, [...first, ...warnings]));
    first = [];
    if (chunk.length === CHUNK_SPANS) {
      yield chunk;
      chunk = [];
    }
    const pause = breath.step();
    if (pause !== undefined) await pause;
  }
  if (chunk.length > 0) yield chunk;
}

function warned(span: Span, warnings: readonly string[]): Span {
  if (warnings.length === 0) return span;
  const value = warnings.map((text) => ({ type: 'string', value: text }) as const);
  const attribute: Attribute = { key: WARNINGS_KEY, value: { type: 'array', value } };
  return { ...span, attributes: [...span.attributes, attribute] };
}
