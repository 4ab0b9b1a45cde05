import { BodyFraming } from './body-framing.ts';
import { Fault, INCOMPLETE } from './fault.ts';
import { HeadAssembler } from './head-assembler.ts';
import type { ResponseHead } from './response-head.ts';

const EMPTY = Buffer.alloc(0);

/** Reads the responses on one connection: heads, possibly in pieces, then the end of each body. */
export class ResponseReader {
  readonly framing = new BodyFraming({ passesTrailers: true, isStrict: false });
  /** After a head was read: the buffer and range of the bytes after it. */
  buffer: Buffer = EMPTY;
  position = 0;
  end = 0;
  readonly #assembler = new HeadAssembler();
  readonly #head: ResponseHead;
  readonly #bounds: { readonly limits: { readonly headBytes: number } };

  /** `head` is shared: it holds the head read last, by any reader. The limits are read again for each head. */
  constructor(head: ResponseHead, bounds: { readonly limits: { readonly headBytes: number } }) {
    this.#head = head;
    this.#bounds = bounds;
  }

  reset(): void {
    this.#assembler.clear();
    this.framing.none();
  }

  /** @returns the position after a head in `buffer`, INCOMPLETE (the bytes were kept), or a Fault. */
  readHead(source: Buffer, start: number, end: number): number {
    this.buffer = source;
    this.position = start;
    this.end = end;
    const assembler = this.#assembler;
    const { headBytes } = this.#bounds.limits;
    if (assembler.length > 0) {
      assembler.append(source, start, end);
      if (!assembler.isWorthParsing() && assembler.length < headBytes) return INCOMPLETE;
      this.buffer = assembler.takeRest();
      this.position = 0;
      this.end = this.buffer.length;
    }
    const limit = Math.min(this.end, this.position + headBytes);
    const after = this.#head.parse(this.buffer, this.position, limit);
    if (after !== INCOMPLETE) {
      if (after > 0) this.position = after;
      return after;
    }
    if (this.end - this.position >= headBytes) return Fault.headTooLarge;
    assembler.append(this.buffer, this.position, this.end);
    return INCOMPLETE;
  }

  /** Decides where the body of the head just read ends (RFC 9112 section 6.3). */
  frameBody(isHeadRequest: boolean): void {
    const head = this.#head;
    if (isHeadRequest || head.isBodyless) this.framing.none();
    else if (head.length.isChunked) this.framing.chunked();
    else if (head.length.contentLength !== -1) this.framing.length(head.length.contentLength);
    else this.framing.untilClose();
  }
}
