/** By UTF-16 code units, as sort() has it: below 0 where `a` comes first. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
