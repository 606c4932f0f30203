// Who is whose child, of the spans of one trace. A server span that shares its id with a client span
// (Zipkin's way) hangs below that one, and children of a shared id below the server span; a span
// whose parent is missing is a root; where parents form a cycle, its first span is a root.

import { halves, hashAt } from './id_hash.ts';
import type { SkeletonRows } from './skeletons.ts';
import { NONE, type TreeSpace, type Workspace } from './workspace.ts';

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;

/** The columns of skeletons that make the tree, in order of start. */
export type TreeRows = Pick<SkeletonRows, 'spanId' | 'parentId'>;

/** Fills the tree of the workspace from rows [from, from + work.count); needs kind and service. */
export function buildTree(rows: TreeRows, from: number, work: Workspace): void {
  linkSpans(rows, from, work);
  putInOrder(work);
  findCallers(work);
  chooseRoots(rows, from, work);
}

/** The tree alone; needs kind. */
export function linkSpans(rows: TreeRows, from: number, tree: TreeSpace): void {
  findParents(rows, from, tree);
  cutCycles(tree);
  listChildren(tree);
}

function findParents(rows: TreeRows, from: number, work: TreeSpace): void {
  const { count, kind, parent } = work;
  const [ids, parents] = [halves(rows.spanId), halves(rows.parentId)];
  const table = new IdTable(ids, from, work);
  for (let row = 0; row < count; row++) {
    const client = kind[row] === SERVER ? table.clientOf(row) : NONE;
    const at = 2 * (from + row);
    if (client !== NONE) parent[row] = client;
    else if (parents[at] === 0 && parents[at + 1] === 0) parent[row] = NONE;
    else {
      parent[row] = table.parentOf(parents, from + row);
      if (parent[row] === NONE) work.missingParents++;
    }
  }
}

/** Rows by span id. Of several with one id: the first of all, the first server, the first client. */
class IdTable {
  readonly #ids: Uint32Array;
  readonly #from: number;
  readonly #mask: number;
  /** Open addressing: the first row + 1, 0 where free. */
  readonly #slots: Uint32Array;
  /** By first row: row + 1 of the first server and client span of that id, or 0. */
  readonly #servers: Uint32Array;
  readonly #clients: Uint32Array;

  constructor(ids: Uint32Array, from: number, work: TreeSpace) {
    const { count, kind, scratch } = work;
    this.#ids = ids;
    this.#from = from;
    let size = 4;
    while (size < count * 2) size *= 2;
    this.#mask = size - 1;
    this.#slots = scratch.c;
    this.#servers = scratch.a;
    this.#clients = scratch.b;
    this.#slots.fill(0, 0, size);
    this.#servers.fill(0, 0, count);
    this.#clients.fill(0, 0, count);
    for (let row = 0; row < count; row++) {
      const slot = this.#slotOf(ids, from + row);
      if (this.#slots[slot] === 0) this.#slots[slot] = row + 1;
      const first = this.#slots[slot]! - 1;
      if (kind[row] === SERVER && this.#servers[first] === 0) this.#servers[first] = row + 1;
      if (kind[row] === CLIENT && this.#clients[first] === 0) this.#clients[first] = row + 1;
    }
  }

  /** The client span with the same id as this row. */
  clientOf(row: number): number {
    const first = this.#slots[this.#slotOf(this.#ids, this.#from + row)]! - 1;
    return this.#clients[first]! - 1;
  }

  /** Where a child of the id at `at` of the halves hangs; NONE where there is no such id. */
  parentOf(halvesOfIds: Uint32Array, at: number): number {
    const first = this.#slots[this.#slotOf(halvesOfIds, at)]! - 1;
    if (first === NONE) return NONE;
    const server = this.#servers[first]!;
    return server === 0 ? first : server - 1;
  }

  #slotOf(of: Uint32Array, at: number): number {
    const [slots, ids, from] = [this.#slots, this.#ids, this.#from];
    for (let slot = hashAt(of, at) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = slots[slot]!;
      if (entry === 0) return slot;
      const known = 2 * (from + entry - 1);
      if (ids[known] === of[2 * at] && ids[known + 1] === of[2 * at + 1]) return slot;
    }
  }
}

/** Walks up from each row until it meets a known one; a row of the same walk closes a cycle. */
function cutCycles(work: TreeSpace): void {
  const { count, parent, isCycle, scratch } = work;
  const walks = scratch.a;
  walks.fill(0, 0, count);
  isCycle.fill(0, 0, count);
  for (let first = 0; first < count; first++) {
    let row = first;
    while (row !== NONE && walks[row] === 0) {
      walks[row] = first + 1;
      row = parent[row]!;
    }
    if (row === NONE || walks[row] !== first + 1) continue;
    // Rows are in order of start, so the lowest one is the first.
    let lowest = row;
    for (let on = parent[row]!; on !== row; on = parent[on]!) if (on < lowest) lowest = on;
    parent[lowest] = NONE;
    isCycle[lowest] = 1;
    work.cycles++;
  }
}

/** Roots are the children of row `count`. */
function listChildren({ count, parent, childStart, children, scratch }: TreeSpace): void {
  childStart.fill(0, 0, count + 2);
  for (let row = 0; row < count; row++) childStart[parentRow(parent[row]!, count) + 1]!++;
  for (let row = 0; row <= count; row++) childStart[row + 1]! += childStart[row]!;
  const next = scratch.a;
  next.set(childStart.subarray(0, count + 1));
  for (let row = 0; row < count; row++) {
    children[next[parentRow(parent[row]!, count)]!++] = row;
  }
}

function parentRow(parent: number, count: number): number {
  return parent === NONE ? count : parent;
}

function putInOrder({ count, childStart, children, order }: Workspace): void {
  let length = 0;
  for (let at = childStart[count]!; at < childStart[count + 1]!; at++) {
    order[length++] = children[at]!;
  }
  for (let i = 0; i < length; i++) {
    const row = order[i]!;
    for (let at = childStart[row]!; at < childStart[row + 1]!; at++) {
      order[length++] = children[at]!;
    }
  }
}

function findCallers({ count, kind, service, parent, order, caller, isAsync }: Workspace): void {
  for (let i = 0; i < count; i++) {
    const row = order[i]!;
    const above = parent[row]!;
    isAsync[row] = 0;
    if (above === NONE) {
      caller[row] = NONE;
      continue;
    }
    const isElsewhere = service[row] !== service[above];
    const isCall = isElsewhere || (kind[above] === CLIENT && kind[row] === SERVER);
    caller[row] = isCall ? service[above]! : caller[above]!;
    const isSent = kind[above] === PRODUCER;
    if (kind[row] === CONSUMER ? isSent || isElsewhere : isSent && isElsewhere) isAsync[row] = 1;
  }
}

/**
 * Which roots the trace's time is measured by: those that were sent as roots; where none was, those
 * whose parent is missing; receivers of messages only where there is nothing else.
 */
function chooseRoots(rows: TreeRows, from: number, work: Workspace): void {
  const { count, kind, childStart, children, isAsync } = work;
  const parents = halves(rows.parentId);
  let best = 3;
  const rankOf = (row: number): number => {
    if (kind[row] === CONSUMER) return 2;
    const at = 2 * (from + row);
    return parents[at] === 0 && parents[at + 1] === 0 ? 0 : 1;
  };
  const [first, end] = [childStart[count]!, childStart[count + 1]!];
  for (let at = first; at < end; at++) best = Math.min(best, rankOf(children[at]!));
  for (let at = first; at < end; at++) {
    const row = children[at]!;
    isAsync[row] = rankOf(row) === best ? 0 : 1;
  }
}
