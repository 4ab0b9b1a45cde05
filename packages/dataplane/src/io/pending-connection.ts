import type { Connection } from './transport.ts';

/** A connection that is being opened: until it is open it can only end. */
export class PendingConnection implements Connection {
  readonly #onEnd: (error?: NodeJS.ErrnoException) => void;
  #open: Connection | undefined;
  #isOver = false;

  /** `onEnd` is called at most once, when it ends before it is open. */
  constructor(onEnd: (error?: NodeJS.ErrnoException) => void) {
    this.#onEnd = onEnd;
  }

  get remoteAddress(): string {
    return this.#open?.remoteAddress ?? '';
  }

  get localAddress(): string {
    return this.#open?.localAddress ?? '';
  }

  get localPort(): number {
    return this.#open?.localPort ?? 0;
  }

  get remotePort(): number {
    return this.#open?.remotePort ?? 0;
  }

  /** It ended before it was open. */
  get isOver(): boolean {
    return this.#isOver;
  }

  opened(connection: Connection): void {
    this.#open = connection;
  }

  failed(error: NodeJS.ErrnoException): void {
    this.#end(error);
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    return this.#open?.write(buffer, start, end) ?? true;
  }

  pause(): void {
    this.#open?.pause();
  }

  resume(): void {
    this.#open?.resume();
  }

  shutdown(): void {
    if (this.#open === undefined) this.#end();
    else this.#open.shutdown();
  }

  close(): void {
    if (this.#open === undefined) this.#end();
    else this.#open.close();
  }

  abort(): void {
    if (this.#open === undefined) this.#end();
    else this.#open.abort();
  }

  #end(error?: NodeJS.ErrnoException): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(error);
  }
}
