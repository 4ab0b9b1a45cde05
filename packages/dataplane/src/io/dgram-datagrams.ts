import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type {
  DatagramHandler,
  DatagramListener,
  DatagramPeer,
  Datagrams,
  PeerHandler,
} from './datagrams.ts';
import type { Address } from './transport.ts';

/** Maximum number of datagrams queued during a name lookup; further ones are lost. */
const HELD_DATAGRAMS = 16;

type LookupDone = (error: null, address: string, family: number) => void;

/** Client addresses are numeric: replies must not go through the resolver. */
function lookupNothing(address: string, _options: unknown, done: LookupDone): void {
  done(null, address, isIPv6(address) ? 6 : 4);
}

const typeOf = (host: string) => (isIPv6(host) ? 'udp6' : 'udp4');

class DgramListener implements DatagramListener {
  readonly address: Address;
  readonly #socket: Socket;
  #isClosed = false;

  constructor(socket: Socket) {
    const { address, port } = socket.address();
    this.#socket = socket;
    this.address = { host: address, port };
  }

  send(bytes: Buffer, address: string, port: number): void {
    if (!this.#isClosed) this.#socket.send(bytes, port, address);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

class DgramPeer implements DatagramPeer {
  readonly #socket: Socket;
  readonly #handler: PeerHandler;
  #held: Buffer[] | undefined = [];
  #isClosed = false;

  constructor(address: Address, handler: PeerHandler) {
    this.#handler = handler;
    this.#socket = createSocket(typeOf(address.host));
    this.#socket.on('message', (bytes: Buffer) => {
      if (!this.#isClosed) handler.onReply(bytes);
    });
    this.#socket.on('error', this.#onResult);
    this.#socket.connect(address.port, address.host, this.#onConnected);
  }

  send(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (this.#held === undefined) this.#socket.send(bytes, this.#onResult);
    else if (this.#held.length < HELD_DATAGRAMS) this.#held.push(bytes);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#held = [];
    this.#socket.close();
  }

  // One callback for all datagrams, so that none of them needs a closure.
  readonly #onResult = (error: Error | null | undefined): void => {
    if (error === null || error === undefined || this.#isClosed) return;
    this.#handler.onError((error as NodeJS.ErrnoException).code ?? error.message);
  };

  readonly #onConnected = (error?: Error): void => {
    if (this.#isClosed) return;
    if (error !== undefined) {
      this.#onResult(error);
      return;
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const bytes of held) this.#socket.send(bytes, this.#onResult);
  };
}

/** The public `dgram` API. Host names of targets are resolved to IPv4 addresses. */
export class DgramDatagrams implements Datagrams {
  async bind(address: Address, handler: DatagramHandler): Promise<DatagramListener> {
    const socket = createSocket({ type: typeOf(address.host), lookup: lookupNothing });
    socket.on('message', (bytes, { address: host, port }) => handler.onDatagram(bytes, host, port));
    const listening = once(socket, 'listening');
    socket.bind({ address: address.host, port: address.port, exclusive: true });
    try {
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    // A reply that fails for one client must not affect the others.
    socket.on('error', () => {});
    return new DgramListener(socket);
  }

  connect(address: Address, handler: PeerHandler): DatagramPeer {
    return new DgramPeer(address, handler);
  }
}
