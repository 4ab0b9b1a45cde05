import { connect, type Socket } from 'node:net';

/** Shared by all streams of the process: data is processed before the next read. */
const BUFFER = Buffer.alloc(65_536);
const RETRY_MS = 1_000;

export interface WatchStreamOptions {
  readonly port: number;
  readonly services: readonly string[];
  /** Called with the data of each change. */
  readonly onChange: (data: string) => void;
  /** Called when the stream was refused (`true`) or ended; it reconnects by itself. */
  readonly onEnd: (isRefused: boolean) => void;
}

/**
 * A watch stream over a raw socket with a minimal parser of server-sent events: cheap, so that
 * one process can run thousands.
 */
export class WatchStream {
  readonly #options: WatchStreamOptions;
  readonly #onOpen: () => void;
  #socket: Socket | undefined;
  #rest = '';
  #isClosed = false;

  private constructor(options: WatchStreamOptions, onOpen: () => void) {
    this.#options = options;
    this.#onOpen = onOpen;
    this.#connect();
  }

  /** Resolves once it has its first picture. */
  static open(options: WatchStreamOptions): Promise<WatchStream> {
    return new Promise((resolve) => {
      const stream: WatchStream = new WatchStream(options, () => resolve(stream));
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    const { port, services } = this.#options;
    const callback = (bytes: number) => {
      this.#take(BUFFER.toString('latin1', 0, bytes));
      return true;
    };
    this.#rest = '';
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer: BUFFER, callback } });
    this.#socket = socket;
    socket.on('error', () => {});
    socket.once('close', () => this.#ended(false));
    const query = services.map((service) => `service=${service}`).join('&');
    socket.write(`GET /v1/watch?${query} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  }

  #ended(isRefused: boolean): void {
    if (this.#isClosed) return;
    this.#options.onEnd(isRefused);
    setTimeout(() => {
      if (!this.#isClosed) this.#connect();
    }, RETRY_MS);
  }

  #take(text: string): void {
    if (this.#rest === '' && text.startsWith('HTTP/1.1 ') && !text.startsWith('HTTP/1.1 200')) {
      this.#socket?.removeAllListeners('close').destroy();
      this.#ended(true);
      return;
    }
    const all = this.#rest + text;
    let from = 0;
    let end = all.indexOf('\n\n', Math.max(0, this.#rest.length - 1));
    while (end !== -1) {
      this.#event(all.slice(from, end + 1));
      from = end + 2;
      end = all.indexOf('\n\n', from);
    }
    this.#rest = all.slice(from);
  }

  #event(text: string): void {
    if (text.includes('event: change\n')) {
      this.#options.onChange(text.slice(text.indexOf('data: ') + 6));
    } else if (text.includes('event: bookmark\n') && text.includes('"synced":true')) {
      this.#onOpen();
    }
  }
}
