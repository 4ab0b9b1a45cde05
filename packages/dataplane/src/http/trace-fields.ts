import { ascii, isWord } from './bytes.ts';
import { Field } from './field-table.ts';
import type { RequestHead } from './request-head.ts';

const SAFE_VALUE = /^[\x20-\x7e]*$/;

/** The header fields of a request that carry its trace. */
export class TraceFields {
  readonly #names: readonly { readonly text: string; readonly bytes: Uint8Array }[];

  /** `names`: in lower case. */
  constructor(names: readonly string[]) {
    this.#names = names.map((text) => ({ text, bytes: ascii(text) }));
  }

  /** Reads them, and marks them in the head so that they are not forwarded. */
  take(source: Buffer, { fields }: RequestHead): Record<string, string> {
    const taken: Record<string, string> = {};
    for (let i = 0; i < fields.count; i++) {
      if (fields.kind(i) !== Field.other) continue;
      const [start, end] = [fields.lineStart(i), fields.nameEnd(i)];
      const name = this.#names.find(({ bytes }) => isWord(source, start, end, bytes))?.text;
      if (name === undefined) continue;
      fields.setKind(i, Field.replaced);
      const value = source.toString('latin1', fields.valueStart(i), fields.valueEnd(i));
      taken[name] = name in taken ? `${taken[name]},${value}` : value;
    }
    return taken;
  }
}

/** The lines that a request gets instead. */
export function traceLines(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .filter(([, value]) => SAFE_VALUE.test(value))
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
