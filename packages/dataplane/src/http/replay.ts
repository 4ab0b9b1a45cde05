/** Accepts bytes as a connection does. */
export interface ByteSink {
  write(buffer: Uint8Array, start: number, end: number): boolean;
}

/** The bytes of a request, kept for as long as they may have to be sent (again). */
export class Replay {
  /** False once bytes were dropped: then the request cannot be sent again. */
  isComplete = true;
  #parts: Buffer[] = [];
  #bodyBytes = 0;

  reset(headAndBody: Buffer, bodyBytes: number): void {
    this.#parts.length = 0;
    this.#parts.push(headAndBody);
    this.#bodyBytes = bodyBytes;
    this.isComplete = true;
  }

  /**
   * Copies a further piece of the body. If the total exceeds `limit`, drops everything: then
   * the request cannot be sent again.
   */
  add(piece: Uint8Array, limit: number): void {
    if (!this.isComplete) return;
    this.#bodyBytes += piece.length;
    if (this.#bodyBytes > limit) this.drop();
    else this.#parts.push(Buffer.from(piece));
  }

  drop(): void {
    this.isComplete = false;
    this.#parts.length = 0;
  }

  sendTo(sink: ByteSink): boolean {
    let isFlowing = true;
    for (const part of this.#parts) isFlowing = sink.write(part, 0, part.length);
    return isFlowing;
  }
}
