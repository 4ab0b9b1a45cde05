import type { Clock, Timer } from '@rollcall/runtime';

/**
 * The key that encrypts the sessions which clients keep: 48 bytes, the same in every process that serves the same
 * clients. Node.js knows one key at a time, so sessions from before a change are not resumed: their clients make one
 * full handshake.
 */
export interface TicketKeys {
  readonly current: Buffer;
  /** Calls the listener after each change. Returns a function that unsubscribes. */
  onChange(listener: () => void): () => void;
}

const BYTES = 48;
/** Whoever gets hold of a key can read what was said under it with TLS 1.2, so none is used for long. */
const ROTATION_MS = 43_200_000;

/** Keys of this process alone. They are changed for as long as somebody listens. */
export class OwnTicketKeys implements TicketKeys {
  #current: Buffer;
  readonly #clock: Pick<Clock, 'every'>;
  readonly #hex: (bytes: number) => string;
  readonly #listeners = new Set<() => void>();
  #rotation: Timer | undefined;

  /** `hex`: unguessable bytes. */
  constructor(clock: Pick<Clock, 'every'>, hex: (bytes: number) => string) {
    this.#clock = clock;
    this.#hex = hex;
    this.#current = this.#create();
  }

  get current(): Buffer {
    return this.#current;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#rotation ??= this.#clock.every(ROTATION_MS, () => this.#rotate());
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#rotation?.cancel();
      this.#rotation = undefined;
    };
  }

  #rotate(): void {
    this.#current = this.#create();
    for (const listener of this.#listeners) listener();
  }

  #create(): Buffer {
    return Buffer.from(this.#hex(BYTES), 'hex');
  }
}
