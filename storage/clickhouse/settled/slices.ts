// A window in parts by trace id: each fits into memory, and none cuts a trace.

import type { Select } from '../select.ts';
import { ALL_LOWS, IN_WINDOW, type LowRange, type SpanWindow, windowParams } from './window.ts';

/** What is sorted, joined or made objects of at once: some 50 MB in the store, 10 MB on the way. */
export const SLICE_SPANS = 250_000;
/** More would be a window that nobody should ask for; each part is larger then. */
const SLICES_MAX = 1000;

export interface Slices {
  /** Rows in the window, what was sent twice counted twice. */
  readonly spans: number;
  readonly lows: readonly LowRange[];
}

/** Parts of about `spansMax` spans; none where there are no spans. Throws SelectError. */
export async function slicesOf(
  select: Select,
  window: SpanWindow,
  signal?: AbortSignal,
  spansMax = SLICE_SPANS,
): Promise<Slices> {
  const params = windowParams(window);
  const from = `FROM {db:Identifier}.spans\nWHERE ${IN_WINDOW}`;
  let spans = 0;
  for (const block of await select({ sql: `SELECT count() AS n\n${from}`, params }, signal)) {
    spans += Number(block.bigs('n')[0] ?? 0n);
  }
  const parts = Math.min(Math.ceil(spans / spansMax), SLICES_MAX);
  if (parts <= 1) return { spans, lows: spans === 0 ? [] : [ALL_LOWS] };
  // The levels are ours; an aggregate function takes no bound parameters.
  const levels = Array.from({ length: parts - 1 }, (_, i) => ((i + 1) / parts).toFixed(6));
  const sql = `SELECT quantilesExactLow(${levels.join(', ')})(trace_lo) AS cuts\n${from}`;
  const cuts: bigint[] = [];
  for (const block of await select({ sql, params }, signal)) {
    const { items } = block.array('cuts');
    if (items.kind === 'big') cuts.push(...items.values);
  }
  return { spans, lows: rangesOf(cuts) };
}

/** Cuts ascend; each is the last of its range. */
function rangesOf(cuts: readonly bigint[]): LowRange[] {
  const ranges: LowRange[] = [];
  let from = ALL_LOWS.from;
  for (const cut of cuts) {
    if (cut < from) continue;
    ranges.push({ from, to: cut });
    from = cut + 1n;
  }
  if (from <= ALL_LOWS.to) ranges.push({ from, to: ALL_LOWS.to });
  return ranges;
}
