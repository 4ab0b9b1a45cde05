import { type ChunkData, ChunkedBody, type ChunkRules } from './chunked-body.ts';

const Kind = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;

/** Finds the end of the current message's body. One per direction and connection, reused for each message. */
export class BodyFraming {
  isDone = true;
  /** After `take`: end of the bytes to forward. */
  keptEnd = 0;
  #kind: number = Kind.none;
  #remaining = 0;
  readonly #rules: ChunkRules;
  /** Made for the first body in chunks: many connections have none. */
  #chunks: ChunkedBody | undefined;

  constructor(rules: ChunkRules) {
    this.#rules = rules;
  }

  /** What must be sent after a complete body; empty before that, and usually empty then too. */
  get tail(): string {
    return this.#kind === Kind.chunked ? this.#chunks!.tail : '';
  }

  get isUntilClose(): boolean {
    return this.#kind === Kind.untilClose;
  }

  none(): void {
    this.#kind = Kind.none;
    this.isDone = true;
  }

  length(byteCount: number): void {
    this.#kind = Kind.length;
    this.#remaining = byteCount;
    this.isDone = byteCount === 0;
  }

  chunked(): void {
    this.#kind = Kind.chunked;
    this.#chunks ??= new ChunkedBody(this.#rules);
    this.#chunks.reset();
    this.isDone = false;
  }

  untilClose(): void {
    this.#kind = Kind.untilClose;
    this.isDone = false;
  }

  /**
   * @returns the position up to which bytes belong to this body, or a Fault. `onData`, when given,
   * receives the payload without framing.
   */
  consume(bytes: Buffer, start: number, end: number, onData: ChunkData | null): number {
    if (this.#kind === Kind.chunked) {
      const chunks = this.#chunks!;
      const stop = chunks.consume(bytes, start, end, onData);
      this.isDone = chunks.isDone;
      this.keptEnd = chunks.keptEnd;
      return stop;
    }
    const stop = this.#plainStop(start, end);
    this.keptEnd = stop;
    if (this.#kind === Kind.none) return stop;
    if (this.#kind === Kind.length) {
      this.#remaining -= stop - start;
      this.isDone = this.#remaining === 0;
    }
    if (onData !== null && stop > start) onData(bytes, start, stop);
    return stop;
  }

  #plainStop(start: number, end: number): number {
    if (this.#kind === Kind.none) return start;
    return this.#kind === Kind.length ? Math.min(end, start + this.#remaining) : end;
  }
}
