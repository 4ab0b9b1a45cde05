/** At most as many are kept: a burst of connections must not hold memory for ever. */
const MAX_KEPT = 512;

/** Memory from which a write may still be sending. Shared by all transports: bytes read by one are written by another. */
const lent = new WeakSet<ArrayBufferLike>();

/** To be called with the bytes of every write that is not done when it returns. */
export function lendBytes(bytes: Uint8Array): void {
  lent.add(bytes.buffer);
}

/**
 * First read buffers, which connections use one after another: most connections are short, and a buffer for each would be
 * most of what they cost. One whose bytes a write did not send at once is not used again.
 */
export class ReadBuffers {
  readonly #bytes: number;
  readonly #kept: Buffer[] = [];

  /** `bytes`: length of each. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Buffer {
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  lend(bytes: Uint8Array): void {
    lendBytes(bytes);
  }

  /** The connection is over, and has called its handler for the last time. Buffers of another length are ignored. */
  giveBack(buffer: Buffer): void {
    if (buffer.length !== this.#bytes || this.#kept.length >= MAX_KEPT) return;
    if (!lent.has(buffer.buffer)) this.#kept.push(buffer);
  }
}
