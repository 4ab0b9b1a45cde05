import { traceLines } from './trace-fields.ts';

/** Accepts bytes as a connection does. */
export interface ByteSink {
  write(buffer: Uint8Array, start: number, end: number): boolean;
}

/** The bytes of a request, kept for as long as they may have to be sent (again). */
export class Replay {
  /** False once bytes were dropped: then the request cannot be sent again. */
  isComplete = true;
  /** The head, and what came of the body with it. */
  #first: Buffer | undefined;
  /** Further pieces of the body. */
  readonly #more: Buffer[] = [];
  /** Bytes of the body so far. */
  bodyBytes = 0;
  #fieldsAt = 0;
  /** The head with the lines of a try; undefined = without any. */
  #ownHead: Buffer | undefined;

  /** `fieldsAt`: where the field lines of the head begin. */
  reset(headAndBody: Buffer, bodyBytes: number, fieldsAt: number): void {
    this.#forget();
    this.#fieldsAt = fieldsAt;
    this.#first = headAndBody;
    this.bodyBytes = bodyBytes;
    this.isComplete = true;
  }

  /**
   * Copies a further piece of the body. If the total exceeds `limit`, drops everything: then
   * the request cannot be sent again.
   */
  add(piece: Uint8Array, limit: number): void {
    if (!this.isComplete) return;
    this.bodyBytes += piece.length;
    if (this.bodyBytes > limit) this.drop();
    else this.#more.push(Buffer.from(piece));
  }

  /** The next try sends these fields too, in place of those of an earlier try. */
  addFields(fields: Readonly<Record<string, string>>): void {
    const head = this.#first;
    if (head === undefined) return;
    const own = Buffer.from(traceLines(fields), 'latin1');
    // A copy: the bytes of an earlier try may still be on their way.
    this.#ownHead = Buffer.concat([
      head.subarray(0, this.#fieldsAt),
      own,
      head.subarray(this.#fieldsAt),
    ]);
  }

  drop(): void {
    this.isComplete = false;
    this.#forget();
  }

  sendTo(sink: ByteSink): boolean {
    const first = this.#ownHead ?? this.#first;
    if (first === undefined) return true;
    let isFlowing = sink.write(first, 0, first.length);
    for (const part of this.#more) isFlowing = sink.write(part, 0, part.length);
    return isFlowing;
  }

  #forget(): void {
    this.#first = undefined;
    this.#ownHead = undefined;
    // Setting a length takes longer than looking at it, and most requests have one piece.
    if (this.#more.length > 0) this.#more.length = 0;
  }
}
