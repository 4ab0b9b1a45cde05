import type {
  Address,
  ConnectHandler,
  Connection,
  ConnectionHandler,
  Listener,
  Transport,
} from '../io/transport.ts';

/** One side of a connection without a network: what was written to it is kept, what arrives is said by the test. */
export class MemoryConnection implements Connection {
  readonly remoteAddress = '192.0.2.7';
  readonly localAddress = '192.0.2.1';
  readonly localPort = 8080;
  handler: ConnectionHandler | undefined;
  /** Answers of `write`; false makes the connection look full. */
  takesBytes = true;
  isPaused = false;
  isEnded = false;
  isClosed = false;
  isAborted = false;
  onWrite: () => void = () => {};
  readonly #written: Buffer[] = [];
  readonly #later: (task: () => void) => void;

  constructor(later: (task: () => void) => void) {
    this.#later = later;
  }

  get written(): string {
    return Buffer.concat(this.#written).toString('latin1');
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.isClosed) return true;
    this.#written.push(Buffer.from(buffer.subarray(start, end)));
    this.onWrite();
    return this.takesBytes;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
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

  /** Bytes arrive, in a buffer of their own between other bytes, which must stay as they are. */
  receive(bytes: string): void {
    if (this.isClosed) return;
    const around = 'untouched';
    const buffer = Buffer.from(around + bytes + around, 'latin1');
    this.handler?.onData(buffer, around.length, around.length + bytes.length);
    const after = buffer.toString('latin1', around.length + bytes.length);
    if (after !== around) throw new Error(`bytes after the range became ${after}`);
  }
}

/** A network that moves only when told to: `settle` runs everything that is due. */
export class MemoryTransport implements Transport {
  readonly name = 'memory';
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
  ): Promise<Listener> {
    this.#accept = accept;
    return { address, close: async () => {} };
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
