// Calls between services, counted on the fly.

import {
  type DependencyFilter,
  dependencyStatement,
} from '../storage/clickhouse/dependency_statement.ts';
import type { Select } from '../storage/clickhouse/select.ts';

/** A graph of more cannot be drawn; names that senders make up may not make it endless. */
export const EDGES_MAX = 10_000;

export interface Dependency {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}

/** Sorted by parent, then child. Throws SelectError: a long window may be too much to count. */
export async function listDependencies(
  select: Select,
  filter: DependencyFilter,
  signal?: AbortSignal,
): Promise<Dependency[]> {
  const found: Dependency[] = [];
  for (const block of await select(dependencyStatement(filter, EDGES_MAX), signal)) {
    const [parents, children] = [block.strings('parent'), block.strings('child')];
    const calls = block.bigs('calls');
    for (let i = 0; i < block.rows; i++) {
      const callCount = Number(calls[i]);
      found.push({ parent: parents.at(i), child: children.at(i), callCount });
    }
  }
  return found;
}
