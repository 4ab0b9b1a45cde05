import type { FieldEdits } from '../model/router.ts';
import type { RequestIdRule } from '../model/request-id.ts';
import { ascii } from './bytes.ts';
import { Field } from './field-table.ts';
import type { RequestHead } from './request-head.ts';

/** What may be kept: nothing that means something in a log, a header field or a URL. */
const GOOD = /^[A-Za-z0-9._~:@+/=-]{1,128}$/;

const UNDERSCORE = 95;
const DASH = 45;
const lowerCase = (byte: number): number => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

/** Gives requests their ids. */
export class RequestIds {
  readonly #rule: RequestIdRule;
  /** In lower case. */
  readonly #name: string;
  readonly #bytes: Uint8Array;
  readonly #removed: ReadonlySet<string>;

  /** Undefined: requests get no ids. */
  static by(rule: RequestIdRule | undefined): RequestIds | undefined {
    return rule === undefined ? undefined : new RequestIds(rule);
  }

  private constructor(rule: RequestIdRule) {
    this.#rule = rule;
    this.#name = rule.header.toLowerCase();
    this.#bytes = ascii(this.#name);
    this.#removed = new Set([this.#name]);
  }

  create(): string {
    return this.#rule.create();
  }

  /** The id that came with a request, if it is a good one from somebody who is trusted; else a new one. */
  take(source: Buffer, head: RequestHead, address: string): string {
    const given = this.mark(source, head);
    return given !== undefined && GOOD.test(given) && this.#rule.trusts(address)
      ? given
      : this.create();
  }

  /**
   * Marks the field in a head so that it is not forwarded. @returns its value; undefined: there is none, or more than one.
   */
  mark(source: Buffer, { fields }: RequestHead): string | undefined {
    let [value, count]: [string | undefined, number] = [undefined, 0];
    for (let i = 0; i < fields.count; i++) {
      const kind = fields.kind(i);
      // Also a field that `Connection` names: it is not forwarded, but its value is the one that the client sent.
      if (kind !== Field.other && kind !== Field.nominated) continue;
      const [start, end] = [fields.lineStart(i), fields.nameEnd(i)];
      if (!this.#isMeant(source, start, end)) continue;
      fields.setKind(i, Field.replaced);
      if (source.subarray(start, end).includes(UNDERSCORE) && !this.#name.includes('_')) continue;
      value = source.toString('latin1', fields.valueStart(i), fields.valueEnd(i));
      count++;
    }
    return count === 1 ? value : undefined;
  }

  /** Also with `_` instead of `-`, which some servers take for the same name. */
  #isMeant(source: Buffer, start: number, end: number): boolean {
    const name = this.#bytes;
    if (end - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      const byte = source[start + i]!;
      const same = byte === UNDERSCORE ? DASH : lowerCase(byte);
      if (same !== name[i] && byte !== name[i]) return false;
    }
    return true;
  }

  /** The line for a request or an answer. Empty if a rule edits this field itself. */
  lineFor(id: string, edits: FieldEdits | undefined): string {
    const isTheirs = edits?.removed?.has(this.#name) === true;
    return isTheirs ? '' : `${this.#rule.header}: ${id}\r\n`;
  }

  /** What is changed in an answer, with the id. */
  answerEdits(id: string, edits: FieldEdits | undefined): FieldEdits | undefined {
    const line = this.lineFor(id, edits);
    if (line === '') return edits;
    const own = ascii(line);
    if (edits === undefined) return { removed: this.#removed, lines: own };
    return {
      removed: new Set([...(edits.removed ?? []), this.#name]),
      lines: edits.lines === undefined ? own : Buffer.concat([edits.lines, own]),
    };
  }
}
