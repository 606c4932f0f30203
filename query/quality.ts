// How far the spans of a service can be trusted: simple rules, each counted over the spans of its
// newest traces, with examples of what keeps it and what does not.

import type { Select } from '../storage/clickhouse/select.ts';
import { hex16, traceIdText } from '../storage/clickhouse/statement.ts';
import { summaryStatement } from '../storage/clickhouse/summary_statement.ts';
import type { AnswerMemory } from './answer_memory.ts';
import { Breath } from './breath.ts';
import { findTraces } from './find.ts';
import { SPANS_PER_TRACE_MAX, traceKeyOf } from './get.ts';

/** So many traces tell what a service does wrong; more only tell it more often. */
export const QUALITY_TRACES_MAX = 200;
/** For each outcome of each rule: what a reader looks at. */
const EXAMPLES_MAX = 3;

export interface QualityQuestion {
  readonly tenant: string;
  readonly service: string;
  /** Starts of spans, both inclusive. */
  readonly startUnixNanos: bigint;
  readonly endUnixNanos: bigint;
}

export interface Example {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
}

export interface Counted {
  count: number;
  readonly examples: Example[];
}

type Outcome = 'pass' | 'fail' | 'exempt';

export interface Measured {
  readonly rule: Rule;
  readonly pass: Counted;
  readonly fail: Counted;
  /** Spans of which the rule says nothing. */
  readonly exempt: Counted;
}

export interface Rule {
  readonly name: string;
  readonly category: string;
  /** One sentence. */
  readonly description: string;
  readonly judge: (span: SpanFacts, trace: ReadonlyMap<bigint, readonly SpanFacts[]>) => Outcome;
}

interface SpanFacts {
  readonly id: bigint;
  /** 0 for a root. */
  readonly parent: bigint;
  readonly start: bigint;
  readonly duration: bigint;
  /** OTLP SpanKind. */
  readonly kind: number;
  readonly service: string;
}

const SERVER = 2;
const CLIENT = 3;

const RULES: readonly Rule[] = [
  {
    name: 'ParentIsThere',
    category: 'Completeness',
    description: 'The parent that a span names is in the trace; roots have none.',
    judge: ({ parent }, trace) => (parent === 0n ? 'exempt' : verdict(trace.has(parent))),
  },
  {
    name: 'IdIsUnique',
    category: 'Correctness',
    description: 'No other span of the trace has the id; a client and its server may share one.',
    judge: ({ id }, trace) => {
      const twins = trace.get(id) ?? [];
      if (twins.length === 1) return 'pass';
      const kinds = new Set(twins.map(({ kind }) => kind));
      const isShared = twins.length === 2 && kinds.has(CLIENT) && kinds.has(SERVER);
      return isShared ? 'exempt' : 'fail';
    },
  },
  {
    name: 'EndsAfterStart',
    category: 'Correctness',
    description: 'A span ends when it starts, or later.',
    judge: ({ duration }) => verdict(duration >= 0n),
  },
  {
    name: 'KindIsKnown',
    category: 'Completeness',
    description:
      'A span says whether it is a client, a server, a producer, a consumer or internal.',
    judge: ({ kind }) => verdict(kind !== 0),
  },
  {
    name: 'StartsAfterParent',
    category: 'Clocks',
    description: 'A span does not start before its parent; where it does, their clocks differ.',
    judge: ({ parent, start }, trace) => {
      const above = trace.get(parent)?.[0];
      return above === undefined ? 'exempt' : verdict(start >= above.start);
    },
  },
];

function verdict(isKept: boolean): Outcome {
  return isKept ? 'pass' : 'fail';
}

/** All rules, over the spans of the service in its newest traces. Throws as findTraces does. */
export async function measureQuality(
  select: Select,
  question: QualityQuestion,
  signal: AbortSignal,
  memory: AnswerMemory,
): Promise<Measured[]> {
  const { tenant, service } = question;
  const query = { ...question, tags: [], order: 'newest', limit: QUALITY_TRACES_MAX } as const;
  const found = await findTraces(select, query, signal);
  const measured = RULES.map((rule) => ({ rule, pass: none(), fail: none(), exempt: none() }));
  if (found.length === 0) return measured;
  const breath = new Breath();
  const held = memory.hold();
  try {
    const keys = found.map(({ traceId }) => traceKeyOf(traceId)!);
    const traces = new Map<string, SpanFacts[]>();
    const statement = summaryStatement(tenant, keys, SPANS_PER_TRACE_MAX);
    for (const block of await select(statement, signal, held.add)) {
      const [lows, highs] = [block.bigs('trace_lo'), block.bigs('trace_hi')];
      const [ids, parents] = [block.bigs('span_id'), block.bigs('parent_id')];
      const [starts, durations] = [block.bigs('ts'), block.bigs('duration')];
      const [kinds, services] = [block.numbers('kind'), block.strings('service')];
      for (let i = 0; i < block.rows; i++) {
        const traceId = traceIdText({ high: highs[i]!, low: lows[i]! });
        const spans = traces.get(traceId) ?? [];
        traces.set(traceId, spans);
        spans.push({
          id: ids[i]!,
          parent: parents[i]!,
          start: starts[i]!,
          duration: durations[i]!,
          kind: kinds[i]!,
          service: services.at(i),
        });
        const pause = breath.step();
        if (pause !== undefined) await pause;
      }
    }
    for (const [traceId, spans] of traces) {
      const byId = Map.groupBy(spans, ({ id }) => id);
      for (const span of spans) {
        if (span.service === service) judge(measured, traceId, span, byId);
        const pause = breath.step();
        if (pause !== undefined) await pause;
      }
    }
  } finally {
    held.free();
  }
  return measured;
}

function none(): Counted {
  return { count: 0, examples: [] };
}

function judge(
  measured: readonly Measured[],
  traceId: string,
  span: SpanFacts,
  trace: ReadonlyMap<bigint, readonly SpanFacts[]>,
): void {
  for (const one of measured) {
    const counted = one[one.rule.judge(span, trace)];
    counted.count++;
    if (counted.examples.length < EXAMPLES_MAX) {
      counted.examples.push({ traceId, spanId: hex16(span.id) });
    }
  }
}
