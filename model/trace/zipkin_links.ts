// Which service calls which, by the rules of Zipkin's dependency linker (zipkin.md §2): the nearest
// remote ancestor is the caller, databases and brokers that nobody traces are nodes, too, and a
// client yields to the server that it called. Counts depend on the spans alone, not on their order
// or on how often each was sent.

import type { Endpoint, Kind, V2Span } from '../codec/zipkin/v1_span.ts';
import { compareText } from '../compare_text.ts';
import { mergeSpans } from './zipkin_merge.ts';

export interface ZipkinLink {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
  /** Of these, how many have a tag `error` on either side. */
  readonly errorCount: number;
}

/** Sums the links of traces. */
export class ZipkinLinker {
  /** By parent, then child. */
  readonly #links = new Map<string, Map<string, Counts>>();
  #size = 0;

  /** How many pairs of services have been seen. */
  get size(): number {
    return this.#size;
  }

  /**
   * All spans of one trace, by the low 64 bits of its id. What is not looked at may be left out:
   * only ids, `kind`, `shared`, endpoints and a tag `error` are. Links that follow from a span that
   * is not `isCounted` are left out, so that a trace can be counted piece by piece.
   */
  addTrace(spans: readonly V2Span[], isCounted: (span: V2Span) => boolean = () => true): void {
    if (spans.length === 0) return;
    for (const node of treeOf(mergeSpans(spans))) if (isCounted(node.span)) this.#link(node);
  }

  /** Sorted by parent, then child. */
  links(): ZipkinLink[] {
    const links: ZipkinLink[] = [];
    for (const [parent, children] of this.#links) {
      for (const [child, counts] of children) links.push({ parent, child, ...counts });
    }
    return links.sort((a, b) => compareText(a.parent, b.parent) || compareText(a.child, b.child));
  }

  #link(node: Node): void {
    const { span } = node;
    // The server that it called names itself better.
    if (span.kind === 'CLIENT' && node.children.length > 0) return;
    const local = span.localEndpoint?.serviceName;
    const remote = span.remoteEndpoint?.serviceName;
    const kind = span.kind ?? (local && remote ? 'CLIENT' : undefined);
    if (kind === undefined) return;
    const isServed = kind === 'SERVER' || kind === 'CONSUMER';
    const [parent, child] = isServed ? [remote, local] : [local, remote];
    if (isServed && node.isRoot && !parent) return;
    if (kind === 'PRODUCER' || kind === 'CONSUMER') {
      // A broker stands between the two: neither is the caller of the other.
      this.#add(parent, child, hasError(span));
      return;
    }
    this.#linkCall(node, kind, parent, child);
  }

  #linkCall(node: Node, kind: Kind, parent: string | undefined, child: string | undefined): void {
    const { span, caller } = node;
    const callerName = caller?.localEndpoint?.serviceName;
    if (caller === undefined || !callerName) {
      this.#add(parent, child, hasError(span));
      return;
    }
    const local = span.localEndpoint?.serviceName;
    // A client of another service than the span above it: the call between these two was not traced.
    if (kind === 'CLIENT' && local && callerName !== local) this.#add(callerName, local, false);
    const isSplit = caller.kind === 'CLIENT' && span.parentId === caller.id;
    this.#add(
      kind === 'SERVER' || !parent ? callerName : parent,
      child,
      hasError(span) || (isSplit && hasError(caller)),
    );
  }

  #add(parent: string | undefined, child: string | undefined, isError: boolean): void {
    if (!parent || !child) return;
    let children = this.#links.get(parent);
    if (children === undefined) {
      children = new Map();
      this.#links.set(parent, children);
    }
    let counts = children.get(child);
    if (counts === undefined) {
      counts = { callCount: 0, errorCount: 0 };
      children.set(child, counts);
      this.#size++;
    }
    counts.callCount++;
    if (isError) counts.errorCount++;
  }
}

interface Counts {
  callCount: number;
  errorCount: number;
}

interface Node {
  readonly span: V2Span;
  readonly children: Node[];
  /** The nearest span above that is no span of the service's own. */
  caller: V2Span | undefined;
  isRoot: boolean;
}

/** Nodes that hang on a cycle of parents are left out: nobody can say who called whom there. */
function treeOf(spans: readonly V2Span[]): Node[] {
  const nodes = spans.map(
    (span): Node => ({ span, children: [], caller: undefined, isRoot: false }),
  );
  const byKey = indexOf(nodes);
  const hasShared = nodes.some(({ span }) => span.shared);
  const root = nodes.find(({ span }) => !span.shared && span.parentId === undefined);
  if (root !== undefined) root.isRoot = true;
  const reached: Node[] = [];
  for (const node of nodes) {
    const parent = node === root ? undefined : (parentOf(node.span, byKey, hasShared) ?? root);
    if (parent === undefined) reached.push(node);
    else parent.children.push(node);
  }
  // Grows while it is walked: from the tops down, so that a chain of any length is one step a span.
  for (const node of reached) {
    const caller = node.span.kind === undefined ? node.caller : node.span;
    for (const child of node.children) child.caller = caller;
    for (const child of node.children) reached.push(child);
  }
  return reached;
}

function indexOf(nodes: readonly Node[]): Map<string, Node> {
  const byKey = new Map<string, Node>();
  for (const node of nodes) {
    const { id, shared, localEndpoint } = node.span;
    if (!shared) byKey.set(id, node);
    else {
      byKey.set(sharedKey(id, localEndpoint), node);
      // For a child that does not say where it ran.
      byKey.set(sharedKey(id, undefined), node);
    }
  }
  return byKey;
}

/** A client's half of a shared span, the server's half where the child ran, or the parent by id. */
function parentOf(
  span: V2Span,
  byKey: ReadonlyMap<string, Node>,
  hasShared: boolean,
): Node | undefined {
  if (span.shared) return byKey.get(span.id);
  if (span.parentId === undefined) return undefined;
  // Most traces have none, and making the key costs more than all the rest.
  if (!hasShared) return byKey.get(span.parentId);
  return byKey.get(sharedKey(span.parentId, span.localEndpoint)) ?? byKey.get(span.parentId);
}

/** Several servers may answer to the id that one client sent. */
function sharedKey(id: string, at: Endpoint | undefined): string {
  const { serviceName = '', ipv4 = '', ipv6 = '', port = 0 } = at ?? {};
  return `${id} ${ipv4} ${ipv6} ${port} ${serviceName}`;
}

function hasError(span: V2Span): boolean {
  return span.tags?.['error'] !== undefined;
}
