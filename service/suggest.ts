// "Did you mean": the nearest known word to one that we do not know.

/** Farther than this is another word, not a slip: a third of its letters, three at the most. */
const SLIPS_MAX = 3;

/** Longer input is no typing mistake; also bounds the work of one comparison. */
const WORD_LENGTH_MAX = 100;

/** The known word nearest to `word`, or undefined when none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  let best: string | undefined;
  let bestSlips = Math.min(SLIPS_MAX, Math.ceil(word.length / 3)) + 1;
  for (const candidate of known) {
    const slips = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (slips < bestSlips) {
      bestSlips = slips;
      best = candidate;
    }
  }
  return best;
}

/** `, did you mean x?` or '' – to be put behind a sentence. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const best = nearest(word, known);
  return best === undefined ? '' : `, did you mean ${best}?`;
}

/** Levenshtein, one row at a time. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[b.length]!;
}
