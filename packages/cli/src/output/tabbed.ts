import { padded, visibleLine } from './untrusted.ts';
import { widthOf } from './width.ts';

const GAP = 2;

/**
 * Lines of cells, laid out as kubectl does with Go's `text/tabwriter`: a column is as wide as its widest cell in
 * consecutive lines that have that column, and the last cell of a line belongs to none.
 */
export function tabbedText(lines: readonly (readonly string[])[]): string {
  const shown = lines.map((line) => line.map(visibleLine));
  return shown
    .map((line, at) => {
      const last = line.length - 1;
      const cells = line.map((cell, column) =>
        column === last ? cell : padded(cell, columnWidth(shown, at, column)),
      );
      return `${cells.join('').trimEnd()}\n`;
    })
    .join('');
}

function columnWidth(lines: readonly (readonly string[])[], at: number, column: number): number {
  const isIn = (line: number) => column < (lines[line]?.length ?? 0) - 1;
  let from = at;
  while (isIn(from - 1)) from--;
  let width = 0;
  for (let line = from; isIn(line); line++)
    width = Math.max(width, widthOf(lines[line]?.[column] ?? ''));
  return width + GAP;
}
