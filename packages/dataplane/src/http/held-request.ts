/** A request whose decision is not known yet: its head, and what has come of its body. */
export class HeldRequest {
  #pieces: Buffer[];

  /** `bytes`: copied, since the buffer is used again. */
  constructor(bytes: Buffer) {
    this.#pieces = [Buffer.from(bytes)];
  }

  add(bytes: Buffer): void {
    this.#pieces.push(Buffer.from(bytes));
  }

  take(): Buffer {
    const [first] = this.#pieces;
    return this.#pieces.length === 1 ? first! : Buffer.concat(this.#pieces);
  }
}
