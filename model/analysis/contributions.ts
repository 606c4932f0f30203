// Where the time of many traces went: what each service, operation, edge and gap has of their
// critical paths. Each of the three breakdowns adds up to the wall time of all traces together with
// the gaps and what no span covers, to the nanosecond.

import type { TraceAnalysis } from './analyze.ts';
import { ExactSum } from './exact_sum.ts';
import type { Skeletons } from './skeletons.ts';
import { type Example, type Part, Tally } from './tally.ts';
import { NONE } from './workspace.ts';

/** OTLP StatusCode. */
const ERROR = 2;
/** As the caller of an edge: the trace begins there. */
export const OUTSIDE = 0xffff_ffff;
/** OTLP SpanKind has six values; three bits beside the number of a name. */
const KINDS = 8;

export class Contributions {
  /** Pairs: service, 0. In each of the four, OTHERS twice for what is more than a tally holds. */
  readonly services = new Tally();
  /** Pairs: service, operationOf(name, kind). */
  readonly operations = new Tally();
  /** Pairs: calling service (or OUTSIDE), called service: time in the latter when so called. */
  readonly edges = new Tally();
  /** Pairs: service of the client span, service of its server span. */
  readonly gaps = new Tally();
  readonly wall = new ExactSum();
  readonly unseen = new ExactSum();
  /** Every trace with a span, and its wall time. */
  readonly traces: Example[] = [];
  spans = 0;
  missingParents = 0;
  /** Calls whose two clocks could not both be right, so that one was moved. */
  skewed = 0;

  /** Adds one trace under a number of the caller's; all of them with the same texts. */
  add({ rows }: Skeletons, found: TraceAnalysis, trace: number): void {
    const { count, from } = found;
    if (count === 0) return;
    this.traces.push({ trace, nanos: found.wall });
    this.wall.add(found.wall);
    this.unseen.add(found.unseen);
    this.spans += count;
    this.missingParents += found.missingParents;
    this.skewed += found.skewed;
    for (let row = 0; row < count; row++) {
      const at = from + row;
      const service = rows.service[at]!;
      const operation = operationOf(rows.name[at]!, rows.kind[at]!);
      const caller = found.caller[row]!;
      const onPath = found.onPath[row]!;
      const error = rows.status[at] === ERROR ? 1 : 0;
      const self = found.self[row]!;
      addSpan(this.services.add(service, 0, onPath), self, error);
      addSpan(this.operations.add(service, operation, onPath), self, error);
      addSpan(this.edges.add(caller === NONE ? OUTSIDE : caller, service, onPath), self, error);
      if (found.server[row] !== NONE) this.#addGap(rows, found, row, error);
    }
    for (const tally of [this.services, this.operations, this.edges, this.gaps]) {
      tally.endTrace(trace);
    }
  }

  #addGap(rows: Skeletons['rows'], found: TraceAnalysis, row: number, error: number): void {
    const { from, server } = found;
    const [request, response] = [found.requestGap[row]!, found.responseGap[row]!];
    const [client, called] = [rows.service[from + row]!, rows.service[from + server[row]!]!];
    const part = this.gaps.add(client, called, request + response);
    addSpan(part, found.self[row]!, error);
    part.request.add(request);
    part.response.add(response);
  }
}

function addSpan(part: Part, selfNanos: number, error: number): void {
  part.self.add(selfNanos);
  part.spans++;
  part.errors += error;
}

/** Name and kind as one number; names are numbered below 2^29, as one answer has not so many bytes. */
export function operationOf(name: number, kind: number): number {
  return name * KINDS + kind;
}

export function nameAndKind(operation: number): readonly [name: number, kind: number] {
  return [Math.floor(operation / KINDS), operation % KINDS];
}
