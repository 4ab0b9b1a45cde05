import { connect, type Socket } from 'node:net';

const READ_BYTES = 4_096;
const CHANGE = Buffer.from('event: change\n');
const BOOKMARK = Buffer.from('event: bookmark\n');
const OPENING = 50;

/**
 * Many watch streams of one service over raw sockets, in one process: reports when a change has reached all of them.
 */
export class Watchers {
  readonly #port: number;
  readonly #service: string;
  readonly #sockets: Socket[] = [];
  #left = 0;
  #firstMs = 0;
  #onLast: ((at: Arrival) => void) | undefined;

  constructor(port: number, service: string) {
    this.#port = port;
    this.#service = service;
  }

  /** Opens `count` streams, a few at a time, and waits until each has its picture. */
  async open(count: number): Promise<void> {
    while (this.#sockets.length < count) {
      const some = Math.min(OPENING, count - this.#sockets.length);
      await Promise.all(Array.from({ length: some }, () => this.#open()));
    }
  }

  /** Resolves when each stream has received a change after this call; call it before making the change. */
  nextChange(): Promise<Arrival> {
    this.#left = this.#sockets.length;
    return new Promise((resolve) => (this.#onLast = resolve));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const buffer = Buffer.alloc(READ_BYTES);
      const callback = (bytes: number) => {
        const text = buffer.subarray(0, bytes);
        if (text.includes(CHANGE)) this.#arrived();
        else if (text.includes(BOOKMARK)) resolve();
        return true;
      };
      const socket = connect({ port: this.#port, host: '127.0.0.1', onread: { buffer, callback } });
      socket.once('error', reject);
      socket.write(`GET /v1/watch?service=${this.#service} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
      this.#sockets.push(socket);
    });
  }

  #arrived(): void {
    if (this.#left === this.#sockets.length) this.#firstMs = performance.now();
    if (--this.#left === 0) {
      this.#onLast?.({ firstMs: this.#firstMs, lastMs: performance.now() });
    }
  }
}

/** When a change reached the first and the last stream, on the clock of `performance.now`. */
export interface Arrival {
  readonly firstMs: number;
  readonly lastMs: number;
}
