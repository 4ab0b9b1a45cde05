import { visibleLine } from './untrusted.ts';
import { widthOf } from './width.ts';
import { GAP, widen } from './table.ts';

/** No column becomes narrower than this: less says nothing. */
const LEAST = 16;
const CUT = '…';

export interface Room {
  /** Columns of the terminal. */
  readonly columns: number;
  /** This many columns of the table are never cut: names, which people copy. */
  readonly whole: number;
}

/** The rows with the longest cells cut, so that each row fits one line of a terminal if that is possible. */
export function fitted(rows: readonly (readonly string[])[], room: Room): string[][] {
  const widths: number[] = [];
  widen(widths, rows);
  let excess = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) - room.columns;
  while (excess > 0) {
    const widest = Math.max(...widths.slice(room.whole), 0);
    if (widest <= LEAST) break;
    widths[widths.indexOf(widest, room.whole)] = widest - 1;
    excess--;
  }
  return rows.map((row) => row.map((cell, i) => cut(visibleLine(cell), widths[i] ?? 0)));
}

function cut(cell: string, width: number): string {
  if (widthOf(cell) <= width) return cell;
  let shown = '';
  for (const letter of cell) {
    if (widthOf(shown + letter) > width - 1) break;
    shown += letter;
  }
  return shown + CUT;
}
