// Calls between services: settled numbers where there are some, spans for the rest.

import { compareText } from '../model/compare_text.ts';
import type { ZipkinLink } from '../model/trace/zipkin_links.ts';
import type { Select } from '../storage/clickhouse/select.ts';
import {
  type EdgeSource,
  settledEdgesStatement,
  spanEdgesStatement,
} from '../storage/clickhouse/settled/edge_statements.ts';
import type { SpanWindow } from '../storage/clickhouse/settled/window.ts';
import { zipkinLinks } from '../storage/clickhouse/settled/zipkin_links.ts';
import { planWindow } from './settled.ts';

/** A graph of more cannot be drawn; names that senders make up may not make it endless. */
export const EDGES_MAX = 10_000;

export interface DependencyFilter {
  readonly tenant: string;
  /** Starts of the called spans in Unix nanoseconds, both inclusive. */
  readonly fromUnixNanos: bigint;
  readonly toUnixNanos: bigint;
  /** Only edges from or to this service. */
  readonly service?: string;
}

export interface Dependency {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}

/** By Jaeger's rules; sorted by parent, then child. Throws SelectError. */
export async function listDependencies(
  select: Select,
  filter: DependencyFilter,
  signal?: AbortSignal,
): Promise<Dependency[]> {
  const { service } = filter;
  const edges = await edgesOf(select, filter, 'jaeger', signal);
  return edges
    .filter(({ parent, child }) => service === undefined || parent === service || child === service)
    .slice(0, EDGES_MAX)
    .map(({ parent, child, callCount }) => ({ parent, child, callCount }));
}

/** By Zipkin's rules; sorted by parent, then child. Throws SelectError. */
export async function listZipkinLinks(
  select: Select,
  tenant: string,
  window: { readonly fromUnixNanos: bigint; readonly toUnixNanos: bigint },
  signal?: AbortSignal,
): Promise<ZipkinLink[]> {
  const links = await edgesOf(select, { tenant, ...window }, 'zipkin', signal);
  return links.slice(0, EDGES_MAX);
}

async function edgesOf(
  select: Select,
  { tenant, fromUnixNanos, toUnixNanos }: SpanWindow,
  source: EdgeSource,
  signal: AbortSignal | undefined,
): Promise<ZipkinLink[]> {
  const plan = await planWindow(select, { tenant, fromUnixNanos, toUnixNanos }, signal);
  const sums = new Sums();
  if (plan.settled !== undefined) {
    sums.addAll(await readEdges(select, settledEdgesStatement(plan.settled, source), signal));
  }
  for (const window of plan.fromSpans) {
    sums.addAll(
      source === 'zipkin'
        ? await zipkinLinks(select, window, signal)
        : await readEdges(select, spanEdgesStatement(window), signal),
    );
  }
  return sums.sorted();
}

async function readEdges(
  select: Select,
  statement: Parameters<Select>[0],
  signal: AbortSignal | undefined,
): Promise<ZipkinLink[]> {
  const edges: ZipkinLink[] = [];
  for (const block of await select(statement, signal)) {
    const [parents, children] = [block.strings('parent'), block.strings('child')];
    const [calls, errors] = [block.bigs('calls'), block.bigs('errors')];
    for (let i = 0; i < block.rows; i++) {
      edges.push({
        parent: parents.at(i),
        child: children.at(i),
        callCount: Number(calls[i]),
        errorCount: Number(errors[i]),
      });
    }
  }
  return edges;
}

class Sums {
  readonly #edges = new Map<string, ZipkinLink>();

  addAll(edges: readonly ZipkinLink[]): void {
    for (const edge of edges) {
      const key = JSON.stringify([edge.parent, edge.child]);
      const known = this.#edges.get(key);
      this.#edges.set(key, {
        ...edge,
        callCount: edge.callCount + (known?.callCount ?? 0),
        errorCount: edge.errorCount + (known?.errorCount ?? 0),
      });
    }
  }

  sorted(): ZipkinLink[] {
    return [...this.#edges.values()].sort(
      (a, b) => compareText(a.parent, b.parent) || compareText(a.child, b.child),
    );
  }
}
