// Where a trace stands in the order of a search, and what that means for the next page.

import type { Order } from '../storage/clickhouse/find_statements.ts';
import type { TraceKey } from '../storage/clickhouse/statement.ts';
import type { FindQuery } from './find.ts';
import { traceKeyOf } from './get.ts';

/** Where a trace stands in its order; the last one of an answer says where the next would begin. */
export interface Cursor {
  /** Start of the newest (oldest) matching span in Unix nanoseconds; slowest: nanoseconds. */
  readonly value: bigint;
  /** 32 hex digits. Equal values stand in the order of the id's low half, then its high half. */
  readonly traceId: string;
}

/** A trace that a search found. */
export interface Found {
  readonly key: TraceKey;
  readonly value: bigint;
}

/** Below 0 where `a` comes first. */
export function comparePlaces(a: Found, b: Found, order: Order): number {
  if (a.value !== b.value) return a.value < b.value === (order === 'oldest') ? -1 : 1;
  if (a.key.low !== b.key.low) return a.key.low < b.key.low ? -1 : 1;
  return a.key.high < b.key.high ? -1 : a.key.high > b.key.high ? 1 : 0;
}

/** Nothing behind the cursor starts on its other side. */
export function windowAfter(query: FindQuery): FindQuery {
  const { after, order, startUnixNanos, endUnixNanos } = query;
  if (after === undefined || order === 'slowest') return query;
  if (order === 'oldest') {
    return after.value > startUnixNanos ? { ...query, startUnixNanos: after.value } : query;
  }
  return after.value < endUnixNanos ? { ...query, endUnixNanos: after.value } : query;
}

/** True where it comes after the cursor, if there is one. */
export function isBehind(trace: Found, { after, order }: FindQuery): boolean {
  if (after === undefined) return true;
  const last = { value: after.value, key: traceKeyOf(after.traceId)! };
  return comparePlaces(last, trace, order) < 0;
}

/** A longest span can be anywhere in the window, so its page is cut by its length. */
export function valueMaxOf({ after, order }: FindQuery): bigint | undefined {
  return order === 'slowest' ? after?.value : undefined;
}

/** A cursor as a parameter: opaque to callers. */
export function cursorText({ value, traceId }: Cursor): string {
  return `${value}.${traceId}`;
}

/** undefined: no text of cursorText. */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^(-?\d{1,19})\.([0-9a-f]{32})$/.exec(text);
  if (match === null) return undefined;
  const value = BigInt(match[1]!);
  return BigInt.asIntN(64, value) === value ? { value, traceId: match[2]! } : undefined;
}
