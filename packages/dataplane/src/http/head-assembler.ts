import { CR, LF } from './bytes.ts';

const INITIAL_BYTES = 1024;
const EMPTY = Buffer.alloc(0);

/**
 * Collects a head that arrives in pieces. Only new bytes are searched for the end of the head, so a sender of single
 * bytes costs one parse, not one per byte.
 */
export class HeadAssembler {
  bytes: Buffer = EMPTY;
  length = 0;
  #scanned = 0;

  append(source: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) this.#grow(needed);
    this.bytes.set(source.subarray(start, end), this.length);
    this.length = needed;
  }

  /** False while a parser could only return INCOMPLETE. A wrong line end is worth parsing too. */
  isWorthParsing(): boolean {
    let position = this.bytes.indexOf(LF, this.#scanned);
    while (position !== -1 && position < this.length) {
      const isBare = position === 0 || this.bytes[position - 1] !== CR;
      const isBlankLine = position >= 3 && this.bytes[position - 2] === LF;
      if (isBare || isBlankLine) return true;
      position = this.bytes.indexOf(LF, position + 1);
    }
    this.#scanned = this.length;
    return false;
  }

  /** Returns the collected bytes and starts again. */
  takeRest(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.clear();
    return taken;
  }

  clear(): void {
    this.bytes = EMPTY;
    this.length = 0;
    this.#scanned = 0;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.max(INITIAL_BYTES, needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
