import type { AddressInfo, Server, Socket } from 'node:net';
import type { Address, Arrivals, ConnectionListener, Handshaker } from './transport.ts';

export interface ServerListenerParts {
  readonly arrivals: Arrivals;
  readonly handshaker: Handshaker | undefined;
  /** Takes a connection that needs no handshake. */
  readonly onPlain: (socket: Socket) => void;
  /** Called when connections need a handshake from now on, or do not any more. */
  readonly onSwitched?: (isSecure: boolean) => void;
}

/** A listener on a server that listens already. */
export class ServerListener implements ConnectionListener {
  readonly address: Address;
  readonly #server: Server;
  readonly #parts: ServerListenerParts;
  #handshaker: Handshaker | undefined;
  /** Those that were replaced while handshakes were under way. */
  readonly #earlier = new Set<Handshaker>();
  #isClosed = false;

  constructor(server: Server, parts: ServerListenerParts) {
    const { address: host, port } = server.address() as AddressInfo;
    this.address = { host, port };
    this.#server = server;
    this.#parts = parts;
    this.#handshaker = parts.handshaker;
    parts.onSwitched?.(parts.handshaker !== undefined);
    server.on('connection', (socket) => this.#onSocket(socket));
  }

  secure(handshaker: Handshaker | undefined): void {
    if (handshaker === this.#handshaker) return;
    if (this.#handshaker !== undefined) this.#earlier.add(this.#handshaker);
    this.#handshaker = handshaker;
    for (const earlier of this.#earlier) {
      if (earlier.underWayOf(this.#parts.arrivals) === 0) this.#earlier.delete(earlier);
    }
    this.#parts.onSwitched?.(handshaker !== undefined);
  }

  get handshakes(): number {
    let sum = 0;
    for (const one of this.#handshakers) sum += one.underWayOf(this.#parts.arrivals);
    return sum;
  }

  async settled(): Promise<void> {
    const { arrivals } = this.#parts;
    await Promise.all(Array.from(this.#handshakers, (one) => one.settled(arrivals)));
  }

  giveUpHandshakes(): void {
    for (const one of this.#handshakers) one.giveUp(this.#parts.arrivals);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Its callback would wait for every open connection, but the port is free at once.
    this.#server.close();
  }

  get #handshakers(): ReadonlySet<Handshaker> {
    const all = new Set(this.#earlier);
    if (this.#handshaker !== undefined) all.add(this.#handshaker);
    return all;
  }

  #onSocket(socket: Socket): void {
    if (this.#handshaker === undefined) {
      this.#parts.onPlain(socket);
      return;
    }
    // During a handshake the end of one direction is the end of the connection.
    socket.allowHalfOpen = false;
    this.#handshaker.take(socket, this.#parts.arrivals);
  }
}
