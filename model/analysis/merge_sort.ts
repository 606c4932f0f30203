// Sorts row numbers by a rule, merging the runs that are in order already: rows of a trace mostly
// are. 100,000 rows in no order take some 20 ms, where the sort of typed arrays takes 80 (it copies
// them to an ordinary array for a rule).

/** Less than 0: `a` comes first. Rules must never be 0 for two different rows, or order is chance. */
export type CompareRows = (a: number, b: number) => number;

/** Sorts the first `count` rows; `scratch` has room for as many. */
export function sortRows(
  rows: Uint32Array,
  count: number,
  scratch: Uint32Array,
  compare: CompareRows,
): void {
  // Where runs begin; found once, as a merge makes one run of two.
  const starts = [0];
  for (let at = runEnd(rows, 0, count, compare); at < count; ) {
    starts.push(at);
    at = runEnd(rows, at, count, compare);
  }
  while (starts.length > 1) {
    let kept = 0;
    for (let i = 0; i < starts.length; i += 2) {
      const [start, middle, end] = [starts[i]!, starts[i + 1], starts[i + 2] ?? count];
      if (middle !== undefined) merge(rows, start, middle, end, scratch, compare);
      starts[kept++] = start;
    }
    starts.length = kept;
  }
}

function runEnd(rows: Uint32Array, start: number, count: number, compare: CompareRows): number {
  let at = start + 1;
  while (at < count && compare(rows[at - 1]!, rows[at]!) <= 0) at++;
  return at;
}

function merge(
  rows: Uint32Array,
  start: number,
  middle: number,
  end: number,
  scratch: Uint32Array,
  compare: CompareRows,
): void {
  scratch.set(rows.subarray(start, middle));
  let left = 0;
  let right = middle;
  const leftEnd = middle - start;
  for (let to = start; left < leftEnd; to++) {
    const takeRight = right < end && compare(rows[right]!, scratch[left]!) < 0;
    rows[to] = takeRight ? rows[right++]! : scratch[left++]!;
  }
}
