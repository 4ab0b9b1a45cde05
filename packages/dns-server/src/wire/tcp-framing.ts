const PREFIX_BYTES = 2;
const NOTHING = Buffer.alloc(0);

/** Splits a TCP stream into DNS messages, however it was fragmented. */
export class MessageSplitter {
  #bytes: Buffer = NOTHING;

  /** No byte of a message is buffered. */
  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  get hasWhole(): boolean {
    return this.#end() <= this.#bytes.length;
  }

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next complete message. It shares memory with the pushed chunks. */
  next(): Buffer | undefined {
    const bytes = this.#bytes;
    const end = this.#end();
    if (bytes.length < end) return undefined;
    this.#bytes = bytes.length === end ? NOTHING : bytes.subarray(end);
    return bytes.subarray(PREFIX_BYTES, end);
  }

  #end(): number {
    if (this.#bytes.length < PREFIX_BYTES) return Number.POSITIVE_INFINITY;
    return PREFIX_BYTES + this.#bytes.readUInt16BE(0);
  }
}

/** A message with its length prefix. */
export function framed(message: Buffer): Buffer {
  const out = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  out.writeUInt16BE(message.length, 0);
  message.copy(out, PREFIX_BYTES);
  return out;
}
