import { ascii, decimal, equalBytes, isWord } from './bytes.ts';
import { Fault } from './fault.ts';
import type { FieldTable } from './field-table.ts';

const CHUNKED = ascii('chunked');
const COMMA = 44;
const SP = 32;
const HTAB = 9;

/** Content-Length and Transfer-Encoding of one head; any ambiguity is a fault (RFC 9112 section 6.3). */
export class LengthFields {
  /** -1: no Content-Length. */
  contentLength = -1;
  isChunked = false;
  /** Given once and in the usual form: the lines can be forwarded unchanged. */
  isPlain = true;
  readonly #mayRepeat: boolean;

  /**
   * `mayRepeat`: the same length given twice counts as one. For responses only; in requests, other
   * servers may count differently.
   */
  constructor(mayRepeat: boolean) {
    this.#mayRepeat = mayRepeat;
  }

  reset(): void {
    this.contentLength = -1;
    this.isChunked = false;
    this.isPlain = true;
  }

  addContentLength(bytes: Uint8Array, fields: FieldTable, index: number): number {
    if (this.contentLength !== -1) {
      if (!this.#mayRepeat) return Fault.contentLength;
      this.isPlain = false;
    }
    if (!fields.isPlain(bytes, index)) this.isPlain = false;
    return this.#addLengths(bytes, fields.valueStart(index), fields.valueEnd(index));
  }

  addTransferEncoding(bytes: Uint8Array, fields: FieldTable, index: number): number {
    const start = fields.valueStart(index);
    const end = fields.valueEnd(index);
    if (this.isChunked || !isWord(bytes, start, end, CHUNKED)) return Fault.transferEncoding;
    this.isChunked = true;
    if (!fields.isPlain(bytes, index) || !equalBytes(bytes, start, end, CHUNKED)) {
      this.isPlain = false;
    }
    return 0;
  }

  /** Call it after all fields have been added. */
  check(minorVersion: number): number {
    if (!this.isChunked) return 0;
    if (this.contentLength !== -1) return Fault.lengthAndEncoding;
    return minorVersion === 0 ? Fault.transferEncoding : 0;
  }

  /** One length, or a list that repeats the same length. */
  #addLengths(bytes: Uint8Array, start: number, end: number): number {
    let from = start;
    for (let i = start; i < end && this.#mayRepeat; i++) {
      if (bytes[i] !== COMMA) continue;
      this.isPlain = false;
      if (!this.#addLength(bytes, from, i)) return Fault.contentLength;
      from = i + 1;
    }
    return this.#addLength(bytes, from, end) ? 0 : Fault.contentLength;
  }

  #addLength(bytes: Uint8Array, start: number, end: number): boolean {
    let from = start;
    let to = end;
    if (!this.isPlain) {
      while (from < to && (bytes[from] === SP || bytes[from] === HTAB)) from++;
      while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--;
    }
    const length = decimal(bytes, from, to);
    if (length === -1 || (this.contentLength !== -1 && this.contentLength !== length)) return false;
    this.contentLength = length;
    return true;
  }
}
