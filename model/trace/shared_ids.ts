// Zipkin's clients and servers may share one span id. Readers that know one id a span (Jaeger's)
// need two, so the server's half gets an id of its own; it hangs below the client's half already.

import { halves } from '../analysis/id_hash.ts';
import { NONE, type TreeSpace } from '../analysis/workspace.ts';

const SERVER = 2;

/**
 * New ids, as 16 hex digits, of the rows that are server spans with the id of their client: the
 * lowest that are free in the trace. Server spans that share an id still do.
 */
export function separateSharedIds(
  spanId: BigUint64Array,
  { count, kind, parent }: TreeSpace,
): ReadonlyMap<number, string> {
  const renamed = new Map<number, string>();
  const ids = halves(spanId);
  let used: Set<bigint> | undefined;
  const newIds = new Map<bigint, string>();
  let last = 0n;
  for (let row = 0; row < count; row++) {
    const above = parent[row]!;
    if (kind[row] !== SERVER || above === NONE) continue;
    if (ids[2 * above] !== ids[2 * row] || ids[2 * above + 1] !== ids[2 * row + 1]) continue;
    const shared = spanId[row]!;
    used ??= new Set(spanId);
    let id = newIds.get(shared);
    if (id === undefined) {
      do last++;
      while (used.has(last));
      id = hex16(last);
      newIds.set(shared, id);
    }
    renamed.set(row, id);
  }
  return renamed;
}

/** 16 lower-case hex digits of an unsigned 64-bit number. */
export function hex16(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}
