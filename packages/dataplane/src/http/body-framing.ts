import { type ChunkData, ChunkedBody, type ChunkRules } from './chunked-body.ts';

const Kind = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;

/** Where the body of the current message ends. One per direction and connection, used again for each message. */
export class BodyFraming {
  isDone = true;
  /** After `take`: the bytes to be passed on end here. */
  keptEnd = 0;
  #kind: number = Kind.none;
  #remaining = 0;
  readonly #chunks: ChunkedBody;

  constructor(rules: ChunkRules) {
    this.#chunks = new ChunkedBody(rules);
  }

  /** What has to be sent behind a body that is done; empty before, and usually then. */
  get tail(): string {
    return this.#kind === Kind.chunked ? this.#chunks.tail : '';
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
    this.#chunks.reset();
    this.isDone = false;
  }

  untilClose(): void {
    this.#kind = Kind.untilClose;
    this.isDone = false;
  }

  /**
   * @returns the position up to which bytes belong to this body, or a Fault. `onData`, when given, gets the payload
   * without framing.
   */
  take(bytes: Buffer, start: number, end: number, onData: ChunkData | null): number {
    if (this.#kind === Kind.chunked) {
      const stop = this.#chunks.take(bytes, start, end, onData);
      this.isDone = this.#chunks.isDone;
      this.keptEnd = this.#chunks.keptEnd;
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
