import { padded, visibleLine } from './untrusted.ts';
import { widthOf } from './width.ts';

export const GAP = '   ';

/** Widens a table's columns to the displayed width of its cells. */
export function widen(widths: number[], rows: readonly (readonly string[])[]): void {
  for (const row of rows) {
    for (const [i, cell] of row.entries()) {
      widths[i] = Math.max(widths[i] ?? 0, widthOf(visibleLine(cell)));
    }
  }
}

/**
 * Rows under their headings, each column as wide as its widest cell, as in kubectl.
 * @param widths - minimum widths of the columns, e.g. those of rows that were printed before
 */
export function tableText(
  rows: readonly (readonly string[])[],
  widths: readonly number[] = [],
): string {
  const all = [...widths];
  widen(all, rows);
  return rows
    .map((row) =>
      row
        .map(visibleLine)
        .map((cell, i) => (i === row.length - 1 ? cell : padded(cell, all[i] ?? 0)))
        .join(GAP)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
