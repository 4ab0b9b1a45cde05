/** Prints rows under their headings as an aligned Markdown table, ready for results.md. */
export function printTable(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |\n`;
  process.stdout.write(line(heads));
  process.stdout.write(line(widths.map((width) => '-'.repeat(width))));
  for (const row of rows) process.stdout.write(line(row));
  process.stdout.write('\n');
}

/** Prints a line to standard output. */
export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}
