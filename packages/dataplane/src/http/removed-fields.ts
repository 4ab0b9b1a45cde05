import type { FieldTable } from './field-table.ts';

/** Whether a field is one that a rule takes out. `removed`: names in lower case. */
export function isRemoved(
  source: Buffer,
  fields: FieldTable,
  index: number,
  removed: ReadonlySet<string> | undefined,
): boolean {
  if (removed === undefined) return false;
  const name = source.toString('latin1', fields.lineStart(index), fields.nameEnd(index));
  return removed.has(name.toLowerCase());
}
