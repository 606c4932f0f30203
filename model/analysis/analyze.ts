// Where the time of one trace went: its tree, its clocks brought together, its critical path.

import { prepareWalk, walkPath } from './path.ts';
import type { Skeletons } from './skeletons.ts';
import { alignClocks } from './skew.ts';
import { buildTree } from './tree.ts';
import { Workspace } from './workspace.ts';

/**
 * What `analyze` found, row by row; row r of the trace is row `from + r` of the skeletons. It holds
 * until the next trace is analysed. Σ (onPath + requestGap + responseGap) + unseen = wall, exactly.
 */
export type TraceAnalysis = Readonly<
  Pick<
    Workspace,
    | 'count'
    | 'from'
    | 'parent'
    | 'isAsync'
    | 'missingParents'
    | 'cycles'
    | 'start'
    | 'end'
    | 'shift'
    | 'skewed'
    | 'self'
    | 'onPath'
    | 'requestGap'
    | 'responseGap'
    | 'server'
    | 'caller'
    | 'wall'
    | 'unseen'
    | 'steps'
  >
>;

/** Traces of so many spans take some milliseconds, and are worth a pause between their stages. */
const LARGE_TRACE_SPANS = 5000;

/** Analyses traces one after the other, in memory that it keeps. */
export class Analyzer {
  readonly #work = new Workspace();

  /** In one go: some 0.5 µs a span. */
  analyze(skeletons: Skeletons, trace: number): TraceAnalysis {
    const stages = this.stages(skeletons, trace);
    for (let stage = stages.next(); ; stage = stages.next()) {
      if (stage.done === true) return stage.value;
    }
  }

  /** Pauses within a large trace; 100,000 spans take some 15 ms at a time. */
  *stages({ ends, rows }: Skeletons, trace: number): Generator<void, TraceAnalysis> {
    const from = trace === 0 ? 0 : ends[trace - 1]!;
    const work = this.#work;
    work.reset(from, ends[trace]! - from);
    if (work.count === 0) return work;
    const isLarge = work.count >= LARGE_TRACE_SPANS;
    work.kind.set(rows.kind.subarray(from, from + work.count));
    work.service.set(rows.service.subarray(from, from + work.count));
    buildTree(rows, from, work);
    if (isLarge) yield;
    alignClocks(rows, from, work);
    if (isLarge) yield;
    prepareWalk(work);
    if (isLarge) yield;
    walkPath(work);
    return work;
  }
}
