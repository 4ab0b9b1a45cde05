import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { HEADER_BYTES, MAX_MESSAGE_BYTES } from '../wire/codes.ts';
import type { Counters } from './counters.ts';
import type { Arrival, Responder } from './responder.ts';
import { MessageSplitter, framed } from './tcp-framing.ts';

/** A client that does not read its answers is not read either above so many bytes. */
const MAX_UNSENT_BYTES = 1_024 * 1_024;
const ARRIVAL: Arrival = { transport: 'tcp', maxBytes: MAX_MESSAGE_BYTES };

export interface TcpListenerParts {
  readonly responder: Responder;
  readonly counters: Counters;
  readonly maxConnections: number;
  readonly idleMs: number;
}

/**
 * DNS over TCP (RFC 7766): any number of queries on a connection, sent without waiting; answers go back as they are
 * ready, forwarded ones later than others.
 */
export class TcpListener {
  readonly #parts: TcpListenerParts;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #closed: Promise<void> | undefined;

  private constructor(parts: TcpListenerParts) {
    this.#parts = parts;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Rejects with the system's error when the address cannot be had. */
  static async open(
    parts: TcpListenerParts,
    { host, port }: { readonly host: string; readonly port: number },
  ): Promise<TcpListener> {
    const listener = new TcpListener(parts);
    listener.#server.listen({ host, port, ipv6Only: host.includes(':') });
    await once(listener.#server, 'listening');
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return (this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    }));
  }

  #accept(socket: Socket): void {
    const { counters, maxConnections, idleMs } = this.#parts;
    if (this.#sockets.size >= maxConnections) {
      counters.tcpConnectionsRefused += 1;
      socket.destroy();
      return;
    }
    counters.tcpConnectionsAccepted += 1;
    counters.tcpConnections += 1;
    this.#sockets.add(socket);
    const splitter = new MessageSplitter();
    const answerAll = () => this.#answerAll(socket, splitter);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk);
      answerAll();
    });
    socket.on('drain', answerAll);
    // A reset by the peer: 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      counters.tcpConnections -= 1;
      this.#sockets.delete(socket);
    });
  }

  /** Answers what has come, or as much of it as the client makes room for; the rest when it has. */
  #answerAll(socket: Socket, splitter: MessageSplitter): void {
    const { counters, responder } = this.#parts;
    const reply = (answer: Buffer) => {
      if (socket.writable) socket.write(framed(answer));
    };
    socket.cork();
    while (socket.writableLength < MAX_UNSENT_BYTES) {
      const message = splitter.next();
      if (message === undefined) break;
      counters.tcpQueries += 1;
      if (message.length < HEADER_BYTES) {
        counters.dropped += 1;
        socket.destroy();
        return;
      }
      responder.respond(message, ARRIVAL, reply);
    }
    socket.uncork();
    if (socket.writableLength < MAX_UNSENT_BYTES) socket.resume();
    else socket.pause();
  }
}
