// The answer of /api/x/contributions (docs/API.md). Sums are whole nanoseconds, as text, because
// they may be beyond 2^53; what is in ms is for people, rounded to the nanosecond.

import { nameAndKind, OUTSIDE } from '../../../model/analysis/contributions.ts';
import { OTHERS } from '../../../model/analysis/pair_index.ts';
import type { Example, Part, Tally } from '../../../model/analysis/tally.ts';
import type { Cohort } from '../../analyse.ts';
import type { FindQuery } from '../../find.ts';
import { KIND_NAMES } from '../../tags.ts';

/** Longer lists are not read; the rest of the time is one sum, so that all of it is there. */
const ROWS_MAX = 100;

export function contributionsJson(query: FindQuery, cohort: Cohort): string {
  const { contributions: all, texts, matched, tooLarge } = cohort;
  const write = new Writer(cohort);
  const text = (number: number): string | null => (number === OTHERS ? null : texts.at(number));
  const services = write.list(all.services, (service) => ({ service: text(service) }));
  const operations = write.list(all.operations, (service, operation) => {
    if (service === OTHERS) return { service: null, operation: null, kind: null };
    const [name, kind] = nameAndKind(operation);
    return { service: text(service), operation: text(name), kind: KIND_NAMES[kind] || null };
  });
  const edges = write.list(all.edges, (from, to) => {
    return { from: from === OUTSIDE ? null : text(from), to: text(to) };
  });
  const gaps = write.list(
    all.gaps,
    (from, to) => ({ from: text(from), to: text(to) }),
    (part) => ({
      requestMeanMs: write.meanMs(part.request.nanos),
      responseMeanMs: write.meanMs(part.response.nanos),
    }),
  );
  return JSON.stringify({
    cohort: {
      service: query.service,
      operation: query.operation ?? null,
      startUnixNanos: `${query.startUnixNanos}`,
      endUnixNanos: `${query.endUnixNanos}`,
      order: query.order,
      matched,
      analysed: all.traces.length,
      sampled: all.traces.length < matched,
      tooLarge,
      spans: all.spans,
      spansWithoutParent: all.missingParents,
      callsWithSkewedClocks: all.skewed,
    },
    wall: { ...write.sum(all.wall.nanos), ...wallExamples(write, all.traces) },
    services: services.rows,
    operations: operations.rows,
    edges: edges.rows,
    gaps: gaps.rows,
    unseen: write.sum(all.unseen.nanos),
    rest: {
      services: services.rest,
      operations: operations.rest,
      edges: edges.rest,
      gaps: gaps.rest,
    },
  });
}

function wallExamples(write: Writer, traces: readonly Example[]) {
  const sorted = traces.toSorted((a, b) => a.nanos - b.nanos || a.trace - b.trace);
  const at = (share: number) => {
    const rank = Math.max(0, Math.ceil(share * sorted.length) - 1);
    return write.example(sorted[rank]);
  };
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Numbers of one cohort: means are over all of its traces. */
class Writer {
  readonly #cohort: Cohort;
  readonly #count: number;
  readonly #wall: bigint;

  constructor(cohort: Cohort) {
    this.#cohort = cohort;
    this.#count = cohort.contributions.traces.length;
    this.#wall = cohort.contributions.wall.nanos;
  }

  /** Mean over all traces of the cohort, those without it included. */
  meanMs(nanos: bigint): number {
    return this.#count === 0 ? 0 : roundMs(Number(nanos) / this.#count);
  }

  /** `share` is that of the wall time of all traces. */
  sum(nanos: bigint) {
    const share = this.#wall === 0n ? 0 : rounded(Number(nanos) / Number(this.#wall));
    return { sumNanos: `${nanos}`, meanMs: this.meanMs(nanos), share };
  }

  example(example: Example | undefined): { traceId: string; ms: number } | null {
    if (example === undefined || example.trace === -1) return null;
    return { traceId: this.#cohort.traceIds[example.trace]!, ms: roundMs(example.nanos) };
  }

  /** The groups with most time first; what is beyond ROWS_MAX of them as one sum. */
  list<Names extends object, More extends object>(
    tally: Tally,
    namesOf: (a: number, b: number) => Names,
    moreOf: (part: Part) => More = () => ({}) as More,
  ) {
    const groups = [...tally].map(({ a, b, part }) => {
      return { names: namesOf(a, b), part, nanos: part.onPath.nanos };
    });
    groups.sort((a, b) => {
      if (a.nanos !== b.nanos) return a.nanos < b.nanos ? 1 : -1;
      const [textA, textB] = [JSON.stringify(a.names), JSON.stringify(b.names)];
      return textA < textB ? -1 : 1;
    });
    const shown = groups.slice(0, ROWS_MAX);
    const beyond = groups.slice(ROWS_MAX);
    const rest = beyond.reduce((sum, { nanos }) => sum + nanos, 0n);
    return {
      rows: shown.map(({ names, part, nanos }) => {
        return { ...names, ...this.sum(nanos), ...moreOf(part), ...this.#counts(part) };
      }),
      rest: { groups: beyond.length, ...this.sum(rest) },
    };
  }

  #counts(part: Part) {
    const { traces, tracesOnPath, spans, errors, largest, sample } = part;
    return {
      traces,
      shareOfTraces: this.#count === 0 ? 0 : rounded(traces / this.#count),
      tracesOnPath,
      spans,
      errors,
      selfMeanMs: this.meanMs(part.self.nanos),
      examples: { largest: this.example(largest), median: this.example(sample.median) },
    };
  }
}

/** Nanoseconds as milliseconds. */
function roundMs(nanos: number): number {
  return Math.round(nanos) / 1e6;
}

function rounded(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
