import { UNKNOWN_SEND_QUEUES } from '../io/send-queues.ts';
import type {
  Address,
  ConnectHandler,
  Connection,
  ConnectionHandler,
  ConnectionListener,
  Transport,
} from '../io/transport.ts';

interface PendingWrite {
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const READ_BUFFER_BYTES = 8_192;
const SCRUB = 0x23;

/**
 * One side of a connection without a network: it records what was written, and the test says what arrives. It
 * reads into one reused buffer and reads pending writes from their buffer only when it drains: code that breaks
 * the rules of `Connection` sees garbage.
 */
export class MemoryConnection implements Connection {
  readonly remoteAddress = '192.0.2.7';
  readonly localAddress = '192.0.2.1';
  readonly localPort = 8080;
  readonly remotePort = 50_000;
  handler: ConnectionHandler | undefined;
  /** Called at each write; true leaves the write pending until later. */
  isFull: () => boolean = () => false;
  isPaused = false;
  isEnded = false;
  isClosed = false;
  isAborted = false;
  onWrite: () => void = () => {};
  readonly #written: Buffer[] = [];
  #pending: PendingWrite[] = [];
  readonly #arrived: string[] = [];
  readonly #readBuffer = Buffer.alloc(READ_BUFFER_BYTES, SCRUB);
  readonly #later: (task: () => void) => void;

  constructor(later: (task: () => void) => void) {
    this.#later = later;
  }

  get written(): string {
    return Buffer.concat(this.#written).toString('latin1');
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.isClosed) return true;
    this.#pending.push({ buffer, start, end });
    if (this.#pending.length > 1) return false;
    if (!this.isFull()) {
      this.#takePending();
      return true;
    }
    this.#later(() => this.#later(() => this.#drain()));
    return false;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#later(() => this.#deliver());
  }

  shutdown(): void {
    this.isEnded = true;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#later(() => this.handler?.onClose(undefined));
  }

  abort(): void {
    this.isAborted = true;
    this.close();
  }

  /** Bytes arrive, now or when reading resumes. */
  receive(bytes: string): void {
    this.#arrived.push(bytes);
    this.#deliver();
  }

  #deliver(): void {
    while (!this.isPaused && !this.isClosed) {
      const bytes = this.#arrived.shift();
      if (bytes === undefined) return;
      const buffer = this.#readBuffer.fill(SCRUB);
      const start = 512;
      const end = start + buffer.write(bytes, start, 'latin1');
      this.handler?.onData(buffer, start, end);
      if (buffer[end] !== SCRUB) {
        throw new Error('bytes outside the range were written');
      }
      // The bytes are invalid now, unless a write still uses them: then reading must have been paused.
      if (!this.isPaused) buffer.fill(SCRUB);
    }
  }

  #drain(): void {
    if (this.isClosed) return;
    this.#takePending();
    this.handler?.onDrain();
  }

  #takePending(): void {
    for (const { buffer, start, end } of this.#pending) {
      this.#written.push(Buffer.from(buffer.subarray(start, end)));
    }
    this.#pending = [];
    this.onWrite();
  }
}

/** A network that moves only on request: `settle` runs everything that is due. */
export class MemoryTransport implements Transport {
  readonly name = 'memory';
  readonly sendQueues = UNKNOWN_SEND_QUEUES;
  readonly upstreams: MemoryConnection[] = [];
  onUpstream: (connection: MemoryConnection) => void = () => {};
  #accept: ((connection: Connection) => ConnectionHandler) | undefined;
  readonly #due: (() => void)[] = [];

  readonly later = (task: () => void): void => {
    this.#due.push(task);
  };

  async listen(
    address: Address,
    accept: (connection: Connection) => ConnectionHandler,
  ): Promise<ConnectionListener> {
    this.#accept = accept;
    return {
      address,
      secure() {
        throw new Error('there are no handshakes without a network');
      },
      handshakes: 0,
      settled: async () => {},
      giveUpHandshakes() {},
      close: async () => {},
    };
  }

  connect(_address: Address, handler: ConnectHandler): Connection {
    const connection = new MemoryConnection(this.later);
    connection.handler = handler;
    this.upstreams.push(connection);
    this.onUpstream(connection);
    this.later(() => {
      if (!connection.isClosed) handler.onConnect();
    });
    return connection;
  }

  /** A client connects. */
  open(): MemoryConnection {
    const connection = new MemoryConnection(this.later);
    connection.handler = this.#accept!(connection);
    return connection;
  }

  settle(): void {
    for (let task = this.#due.shift(); task !== undefined; task = this.#due.shift()) task();
  }
}
