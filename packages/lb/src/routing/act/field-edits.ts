import type { FieldEdits } from '@rollcall/dataplane';
import type { FieldChangesConfig } from '../../config/rule-schema.ts';

/** What a rule changes in fields, ready to be used; undefined: nothing. */
export function fieldEditsOf(config: FieldChangesConfig | undefined): FieldEdits | undefined {
  if (config === undefined) return undefined;
  const { set, add, remove } = config;
  const removed = new Set([...Object.keys(set), ...remove].map((name) => name.toLowerCase()));
  const lines = [...Object.entries(set), ...Object.entries(add)]
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  return Object.freeze({ removed, lines: Buffer.from(lines, 'latin1') });
}

/** The edits, with further fields removed and lines added. */
export function mergeEdits<E extends FieldEdits>(
  edits: E | undefined,
  removed: readonly string[],
  lines: string,
): E | FieldEdits {
  if (removed.length === 0 && lines === '') return edits ?? {};
  const own = edits?.lines ?? Buffer.alloc(0);
  return {
    ...edits,
    removed: new Set([...(edits?.removed ?? []), ...removed]),
    lines: Buffer.concat([own, Buffer.from(lines, 'latin1')]),
  };
}
