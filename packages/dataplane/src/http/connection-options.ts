import { HTAB, SP, TOKEN, ascii, isWord } from './bytes.ts';
import { Fault } from './fault.ts';
import { Field, type FieldTable } from './field-table.ts';

const CLOSE = ascii('close');
const KEEP_ALIVE = ascii('keep-alive');
const UPGRADE = ascii('upgrade');
const MAX_NOMINATED = 16;
const COMMA = 44;

/** The meaning of the Connection fields of one head. Reused for each head. */
export class ConnectionOptions {
  close = false;
  keepAlive = false;
  upgrade = false;
  #nominated = 0;
  readonly #names = new Int32Array(MAX_NOMINATED * 2);

  reset(): void {
    this.close = false;
    this.keepAlive = false;
    this.upgrade = false;
    this.#nominated = 0;
  }

  /** Adds one field value, a list of tokens. Returns 0 or a fault. */
  parse(bytes: Uint8Array, start: number, end: number): number {
    let i = start;
    while (i < end) {
      const byte = bytes[i]!;
      if (byte === COMMA || byte === SP || byte === HTAB) {
        i++;
        continue;
      }
      const from = i;
      while (i < end && TOKEN[bytes[i]!] === 1) i++;
      if (i === from || !this.#addOption(bytes, from, i)) return Fault.connection;
    }
    return 0;
  }

  /**
   * Marks the fields that the sender declared as hop-by-hop. Only fields without a meaning here can be removed that
   * way: framing, Host and X-Forwarded-* stay, whatever Connection says.
   */
  markNominated(bytes: Uint8Array, fields: FieldTable): void {
    if (this.#nominated === 0) return;
    for (let i = 0; i < fields.count; i++) {
      const kind = fields.kind(i);
      if (kind !== Field.other && kind < Field.date) continue;
      if (this.#isNominated(bytes, fields.lineStart(i), fields.nameEnd(i))) {
        fields.setKind(i, Field.nominated);
      }
    }
  }

  #addOption(bytes: Uint8Array, start: number, end: number): boolean {
    if (isWord(bytes, start, end, CLOSE)) this.close = true;
    else if (isWord(bytes, start, end, KEEP_ALIVE)) this.keepAlive = true;
    else if (isWord(bytes, start, end, UPGRADE)) this.upgrade = true;
    else {
      if (this.#nominated === MAX_NOMINATED) return false;
      this.#names[this.#nominated * 2] = start;
      this.#names[this.#nominated * 2 + 1] = end;
      this.#nominated++;
    }
    return true;
  }

  #isNominated(bytes: Uint8Array, start: number, end: number): boolean {
    for (let n = 0; n < this.#nominated; n++) {
      const from = this.#names[n * 2]!;
      if (this.#names[n * 2 + 1]! - from !== end - start) continue;
      let same = 0;
      while (same < end - start && (bytes[from + same]! | 32) === (bytes[start + same]! | 32))
        same++;
      if (same === end - start) return true;
    }
    return false;
  }
}
