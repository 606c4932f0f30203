// The columns that the analysis of one trace fills, kept and grown from trace to trace: 20,000
// traces would otherwise cost a million small arrays. Rows are numbered from 0 within the trace.
// Times are whole nanoseconds since the trace's first span, as doubles, which hold them exactly.

/** No span. */
export const NONE = -1;

/** What the tree of one trace needs (tree.ts); the columns of a large trace have no room to spare. */
export class TreeSpace {
  /** How many spans the trace has. Row `count` is no span, but what holds the roots together. */
  count = 0;

  // What came.
  kind = new Uint8Array(0);

  /** Row of the parent, NONE for a root. */
  parent = new Int32Array(0);
  /** The children of row r are `children[childStart[r]]` to, not including, `children[childStart[r + 1]]`. */
  childStart = new Uint32Array(0);
  children = new Uint32Array(0);
  /** 1: a root because the parents form a cycle. */
  isCycle = new Uint8Array(0);
  /** Spans whose parent is not there. */
  missingParents = 0;
  cycles = 0;

  // Working space of one step each.
  readonly scratch = { a: new Uint32Array(0), b: new Uint32Array(0), c: new Uint32Array(0) };

  /** Makes room for a trace; what was there before is gone. */
  resetTree(count: number): void {
    this.count = count;
    this.missingParents = 0;
    this.cycles = 0;
    // Row `count`, and one beyond it where its children end.
    if (count + 2 > this.kind.length) this.grow(roomFor(count + 2));
  }

  protected grow(size: number): void {
    this.kind = new Uint8Array(size);
    this.parent = new Int32Array(size);
    this.childStart = new Uint32Array(size);
    this.children = new Uint32Array(size);
    this.isCycle = new Uint8Array(size);
    this.scratch.a = new Uint32Array(size);
    this.scratch.b = new Uint32Array(size);
    // A table of twice as many slots, a power of two.
    this.scratch.c = new Uint32Array(2 ** Math.ceil(Math.log2(size * 2)));
  }
}

/** Small traces leave room for the next one. */
function roomFor(count: number): number {
  return count < 8192 ? Math.max(64, 2 * count) : count;
}

export class Workspace extends TreeSpace {
  /** Where in the skeletons its rows begin. */
  from = 0;

  // What came.
  service = new Uint32Array(0);

  // Of the tree.
  /** All rows, each after its parent. */
  order = new Uint32Array(0);
  /** 1: nobody waits for it, as for the receiver of a message. */
  isAsync = new Uint8Array(0);
  // Times, moved where clocks disagree (skew.ts).
  start = new Float64Array(0);
  end = new Float64Array(0);
  /** What was added to the times that were sent. */
  shift = new Float64Array(0);
  /** Calls whose two clocks could not both be right. */
  skewed = 0;

  // The result (path.ts).
  /** Duration minus the union of the children's intervals. */
  self = new Float64Array(0);
  /** The part of the trace's critical path that is in this span and in no child of it; gaps apart. */
  onPath = new Float64Array(0);
  /** Of a client span with a server span: what of the path is before it, and after it. */
  requestGap = new Float64Array(0);
  responseGap = new Float64Array(0);
  /** Of such a client span: the row of the server span that ended last; else NONE. */
  server = new Int32Array(0);
  /** Service that called this span's service, by number; NONE where the trace begins. */
  caller = new Int32Array(0);
  /** From the first start to the last end of the roots that were waited for. */
  wall = 0;
  /** The part of it in which no root ran. */
  unseen = 0;
  /** Of the walk that found the path: what it cost. */
  steps = 0;

  // Working space of one step each.
  frames = new Uint32Array(0);
  frameLows = new Float64Array(0);
  /** Of each row: where in `children` those begin that it waited for. */
  first = new Uint32Array(0);
  /** Of each row: one after the child that is looked at next, in `children`. */
  next = new Uint32Array(0);
  /** Of each row: the first of the children that are running; of each child: the one after it. */
  head = new Int32Array(0);
  running = new Int32Array(0);

  /** Makes room for a trace; what was there before is gone. */
  reset(from: number, count: number): void {
    this.resetTree(count);
    this.from = from;
    this.skewed = 0;
    this.wall = 0;
    this.unseen = 0;
    this.steps = 0;
  }

  protected override grow(size: number): void {
    super.grow(size);
    this.service = new Uint32Array(size);
    this.order = new Uint32Array(size);
    this.isAsync = new Uint8Array(size);
    this.start = new Float64Array(size);
    this.end = new Float64Array(size);
    this.shift = new Float64Array(size);
    this.self = new Float64Array(size);
    this.onPath = new Float64Array(size);
    this.requestGap = new Float64Array(size);
    this.responseGap = new Float64Array(size);
    this.server = new Int32Array(size);
    this.caller = new Int32Array(size);
    this.frames = new Uint32Array(size);
    this.frameLows = new Float64Array(size);
    this.first = new Uint32Array(size);
    this.next = new Uint32Array(size);
    this.head = new Int32Array(size);
    this.running = new Int32Array(size);
  }
}
