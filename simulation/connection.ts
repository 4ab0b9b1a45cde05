import type { EventStream, StreamEnd } from '@rollcall/registry-server/testing';
import type { Network, Pipe } from './network.ts';
import type { Node } from './node.ts';

type Frame = Parameters<EventStream['send']>[0];

/** The server's side of a stream. */
export class ServerStream implements EventStream {
  readonly #node: Node;
  readonly #connection: Connection;
  readonly #client: ClientBody;
  readonly #onEnd: ((end: StreamEnd) => void)[] = [];
  #end: StreamEnd | undefined;
  #onDrain: (() => void)[] = [];
  bufferedBytes = 0;

  constructor(node: Node, connection: Connection, client: ClientBody) {
    this.#node = node;
    this.#connection = connection;
    this.#client = client;
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  send(frame: Frame): void {
    if (this.#end !== undefined) return;
    const event = frame.chunk.subarray(frame.from, frame.to);
    this.bufferedBytes += event.length;
    this.#connection.down.send(() => {
      this.#client.deliver(event, () => {
        this.bufferedBytes -= event.length;
        if (this.bufferedBytes > 0) return;
        for (const drained of this.#onDrain.splice(0)) this.#node.after(0, drained);
      });
    });
  }

  onEnd(listener: (end: StreamEnd) => void): void {
    if (this.#end === undefined) this.#onEnd.push(listener);
    else listener(this.#end);
  }

  onDrain(listener: () => void): void {
    this.#onDrain.push(listener);
  }

  close(): void {
    if (this.#end !== undefined) return;
    this.over('server');
    this.#connection.down.send(() => {
      this.#client.end();
      this.#connection.close();
    });
  }

  destroy(): void {
    this.close();
  }

  /** Ends the stream. */
  over(end: StreamEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    for (const ended of this.#onEnd) ended(end);
  }
}

interface Listeners {
  data: ((chunk: Buffer) => void)[];
  error: ((error: Error) => void)[];
  end: (() => void)[];
  close: (() => void)[];
}

/** The client's side of a stream: the body of a response. */
export class ClientBody {
  readonly #node: Node;
  readonly #onEvent: (text: string) => void;
  readonly #listeners: Listeners = { data: [], error: [], end: [], close: [] };
  #isOver = false;

  /** `onEvent` is called with each event before the client gets it. */
  constructor(node: Node, onEvent: (text: string) => void) {
    this.#node = node;
    this.#onEvent = onEvent;
  }

  on<E extends keyof Listeners>(event: E, listener: Listeners[E][number]): this {
    (this.#listeners[event] as unknown[]).push(listener);
    return this;
  }

  deliver(chunk: Buffer, taken: () => void): void {
    this.#node.after(0, () => {
      taken();
      if (this.#isOver) return;
      this.#onEvent(chunk.toString());
      for (const tell of this.#listeners.data) tell(chunk);
      this.#onEvent('');
    });
  }

  /** The other side ended the stream. */
  end(): void {
    this.#node.after(0, () => this.#over(() => this.#listeners.end.forEach((tell) => tell())));
  }

  /** The connection broke. */
  fail(error: Error): void {
    this.#node.after(0, () =>
      this.#over(() => this.#listeners.error.forEach((tell) => tell(error))),
    );
  }

  #over(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    tell();
    for (const closed of this.#listeners.close) closed();
  }
}

/** Callbacks for the end of a connection. */
interface ConnectionListeners {
  readonly client: (why: string) => void;
  readonly server: () => void;
}

/**
 * Both directions between a client and a server. Each side learns when the other dies, if messages still get through.
 */
export class Connection {
  readonly up: Pipe;
  readonly down: Pipe;
  readonly #ends: (() => void)[] = [];
  readonly #listeners: ConnectionListeners;
  #isOver = false;

  constructor(network: Network, client: Node, serverName: string, listeners: ConnectionListeners) {
    this.#listeners = listeners;
    const broken = () => {
      if (this.#isOver) return;
      this.close();
      listeners.client('the connection was reset');
      listeners.server();
    };
    this.up = network.pipe(client.name, serverName, broken);
    this.down = network.pipe(serverName, client.name, broken);
    this.#ends.push(client.onDeath(() => this.up.send(() => listeners.server())));
  }

  /** A server process has accepted the connection. */
  accept(server: Node): void {
    this.#ends.push(
      server.onDeath(() => this.down.send(() => this.#listeners.client('the server died'))),
    );
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const forget of this.#ends) forget();
    this.up.close();
    this.down.close();
  }
}
