// Results as a table that people read and scripts can cut: columns padded, two blanks between.

/** What would end a line, move a cursor, change a title or turn text round: senders choose names. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

export function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const shown = (cell: unknown): string => String(cell).replaceAll(UNPRINTABLE, '\ufffd');
  const lines = [head, ...rows].map((row) => row.map(shown));
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
