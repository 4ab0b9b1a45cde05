import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';

/** Returns the bytes of the next request. */
export type NextRequest = () => Buffer;

export interface LoadOptions {
  readonly port: number;
  readonly connections: number;
  /** Over TLS; whoever answers is believed. @default false */
  readonly isTls?: boolean;
  /** Requests in progress per connection. @default 1 */
  readonly pipelining?: number;
  /** The expected status; any other one ends the run with an error. */
  readonly status: number;
  /** Called with each body. */
  readonly onBody?: (body: string) => void;
}

const READ_BYTES = 65_536;

/**
 * Sends requests over raw sockets and parses just enough of the replies to count them: a real HTTP client costs
 * more than the servers under load.
 */
export class HttpLoad {
  readonly #options: LoadOptions;
  readonly #lines: Line[] = [];
  #next: NextRequest | undefined;
  #left = 0;
  #answered = 0;
  #idle: (() => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Opens the connections. */
  async open(): Promise<void> {
    const { connections } = this.#options;
    while (this.#lines.length < connections) this.#lines.push(await Line.open(this.#options, this));
  }

  /** Keeps every connection busy for `ms`; returns the number of requests answered in that time. */
  async runFor(ms: number, next: NextRequest): Promise<number> {
    const before = this.#answered;
    const timer = setTimeout(() => (this.#left = 0), ms);
    await this.#run(Infinity, next).finally(() => clearTimeout(timer));
    return this.#answered - before;
  }

  /** Sends `count` requests and waits for the responses. */
  runCount(count: number, next: NextRequest): Promise<void> {
    return this.#run(count, next);
  }

  close(): void {
    for (const line of this.#lines) line.socket.destroy();
  }

  get options(): LoadOptions {
    return this.#options;
  }

  /** The next request of a connection; undefined when there is none. */
  take(): Buffer | undefined {
    if (this.#left <= 0) return undefined;
    this.#left--;
    return this.#next?.();
  }

  answered(): void {
    this.#answered++;
  }

  failed(error: Error): void {
    this.#left = 0;
    this.#fail?.(error);
  }

  lineIdle(): void {
    if (this.#lines.every(({ underWay }) => underWay === 0)) this.#idle?.();
  }

  async #run(count: number, next: NextRequest): Promise<void> {
    this.#next = next;
    this.#left = count;
    await new Promise<void>((resolve, reject) => {
      this.#idle = resolve;
      this.#fail = reject;
      for (const line of this.#lines) line.fill();
    });
  }
}

/** Opens a connection that passes on what it reads. */
type Open = (onText: (text: string) => void, onOpen: () => void) => Socket;

const connectTcp =
  (port: number): Open =>
  (onText, onOpen) => {
    const onread = {
      buffer: Buffer.alloc(READ_BYTES),
      callback: (bytes: number, buffer: Uint8Array) => {
        onText((buffer as Buffer).toString('latin1', 0, bytes));
        return true;
      },
    };
    return connect({ port, host: '127.0.0.1', noDelay: true, onread }, onOpen);
  };

const connectTls =
  (port: number): Open =>
  (onText, onOpen) => {
    const options = { port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false };
    const socket = tlsConnect(options, onOpen);
    socket.setNoDelay(true);
    return socket.on('data', (chunk: Buffer) => onText(chunk.toString('latin1')));
  };

/** One connection; splits the replies by their framing. */
class Line {
  readonly socket: Socket;
  readonly #load: HttpLoad;
  underWay = 0;
  #rest = '';

  private constructor(open: Open, load: HttpLoad, onOpen: () => void) {
    this.#load = load;
    this.socket = open((bytes) => this.#take(bytes), onOpen);
    this.socket.on('error', (error) => load.failed(error));
    this.socket.on('close', () => {
      if (this.underWay > 0) load.failed(new Error('the server ended a connection'));
    });
  }

  static open({ port, isTls = false }: LoadOptions, load: HttpLoad): Promise<Line> {
    return new Promise((resolve, reject) => {
      const line = new Line(isTls ? connectTls(port) : connectTcp(port), load, () => resolve(line));
      line.socket.once('error', reject);
    });
  }

  /** Sends as many requests as may be in progress. */
  fill(): void {
    const { pipelining = 1 } = this.#load.options;
    while (this.underWay < pipelining) {
      const request = this.#load.take();
      if (request === undefined) break;
      this.underWay++;
      this.socket.write(request);
    }
    if (this.underWay === 0) this.#load.lineIdle();
  }

  #take(text: string): void {
    let rest = this.#rest === '' ? text : this.#rest + text;
    let end = replyEnd(rest);
    if (end === -1) {
      this.#rest = rest;
      return;
    }
    while (end !== -1) {
      this.#reply(rest.slice(0, end));
      rest = end === rest.length ? '' : rest.slice(end);
      end = rest === '' ? -1 : replyEnd(rest);
    }
    this.#rest = rest;
    this.fill();
  }

  #reply(reply: string): void {
    const { status, onBody } = this.#load.options;
    if (Number(reply.slice(9, 12)) !== status) {
      this.#load.failed(new Error(`expected ${status}, got:\n${reply.slice(0, 600)}`));
      return;
    }
    this.underWay--;
    this.#load.answered();
    onBody?.(reply.slice(reply.indexOf('\r\n\r\n') + 4));
  }
}

/** Where the first reply in the text ends; -1 when it is incomplete. */
function replyEnd(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return -1;
  const fields = text.slice(0, head).toLowerCase();
  const length = fields.indexOf('content-length: ');
  if (length !== -1) {
    const end = head + 4 + Number.parseInt(fields.slice(length + 16), 10);
    return end <= text.length ? end : -1;
  }
  if (!fields.includes('transfer-encoding: chunked')) return head + 4;
  const last = text.indexOf('\r\n0\r\n\r\n', head);
  return last === -1 ? -1 : last + 7;
}

/** The bytes of a request with a JSON body, or with none. */
export function requestBytes(method: string, path: string, body?: unknown): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body);
  const fields =
    body === undefined
      ? ''
      : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${fields}\r\n${text}`);
}
