import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import type { Clock, Timer } from '@rollcall/runtime';
import { HEADER_BYTES, MAX_MESSAGE_BYTES } from '../wire/codes.ts';
import type { Counters } from '../counting/counters.ts';
import type { Arrival, Responder } from './responder.ts';
import { framed } from '../wire/tcp-framing.ts';
import { TcpPeer } from './tcp-peer.ts';

/** Above this many unsent bytes, the server stops reading from a client that does not read its answers. */
const MAX_UNSENT_BYTES = 1_024 * 1_024;
const ARRIVAL: Arrival = { transport: 'tcp', maxBytes: MAX_MESSAGE_BYTES };
const SWEEP_MS = 100;

export interface TcpListenerParts {
  readonly responder: Responder;
  readonly counters: Counters;
  readonly maxConnections: number;
  /**
   * Time limit for a message from its first byte, for the arrival of the first message,
   * and for silence between messages.
   */
  readonly idleMs: number;
  readonly clock: Pick<Clock, 'monotonicMs' | 'every'>;
}

/**
 * DNS over TCP (RFC 7766): a client may send any number of queries on a connection without waiting. Answers
 * are sent as they become ready, so forwarded ones come later. At the connection limit, clients that have
 * completed no query make room first.
 */
export class TcpListener {
  readonly #parts: TcpListenerParts;
  readonly #server: Server;
  /** In order of arrival. */
  readonly #peers = new Set<TcpPeer>();
  readonly #sweepTimer: Timer;
  #closed: Promise<void> | undefined;

  private constructor(parts: TcpListenerParts) {
    this.#parts = parts;
    // A client that sent its last query and FIN still gets its answers.
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#accept(socket),
    );
    this.#sweepTimer = parts.clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** Rejects with the system's error when the address cannot be bound. */
  static async open(
    parts: TcpListenerParts,
    { host, port }: { readonly host: string; readonly port: number },
  ): Promise<TcpListener> {
    const listener = new TcpListener(parts);
    try {
      listener.#server.listen({ host, port, ipv6Only: host.includes(':') });
      await once(listener.#server, 'listening');
    } catch (error) {
      listener.#sweepTimer.cancel();
      throw error;
    }
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return (this.#closed ??= new Promise((resolve) => {
      this.#sweepTimer.cancel();
      this.#server.close(() => resolve());
      for (const { socket } of this.#peers) socket.destroy();
    }));
  }

  #accept(socket: Socket): void {
    const { counters, maxConnections, idleMs, clock } = this.#parts;
    if (this.#peers.size >= maxConnections && !this.#makeRoom()) {
      counters.tcpConnectionsRefused += 1;
      socket.destroy();
      return;
    }
    counters.tcpConnectionsAccepted += 1;
    counters.tcpConnections += 1;
    const peer = new TcpPeer(socket, clock.monotonicMs());
    this.#peers.add(peer);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      peer.noteBytes(clock.monotonicMs());
      peer.splitter.push(chunk);
      this.#answerAll(peer);
    });
    socket.on('drain', () => this.#answerAll(peer));
    socket.on('end', () => {
      peer.hasEnded = true;
      this.#answerAll(peer);
    });
    // A reset by the peer: 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#forget(peer));
  }

  /** Answers the complete queries, but only while the client reads its answers; the others later. */
  #answerAll(peer: TcpPeer): void {
    const { counters, responder, clock } = this.#parts;
    const { socket, splitter } = peer;
    const reply = (answer: Buffer) => this.#reply(peer, answer);
    socket.cork();
    while (socket.writableLength < MAX_UNSENT_BYTES) {
      const message = splitter.next();
      if (message === undefined) break;
      counters.tcpQueries += 1;
      peer.noteQuery(clock.monotonicMs());
      if (message.length < HEADER_BYTES) {
        counters.dropped += 1;
        socket.destroy();
        return;
      }
      peer.underWay += 1;
      if (!responder.respond(message, ARRIVAL, reply)) peer.underWay -= 1;
    }
    socket.uncork();
    if (socket.writableLength < MAX_UNSENT_BYTES) socket.resume();
    else socket.pause();
    this.#endIfDone(peer);
  }

  #reply(peer: TcpPeer, answer: Buffer): void {
    peer.underWay -= 1;
    if (peer.socket.writable) peer.socket.write(framed(answer));
    if (peer.hasEnded) this.#endIfDone(peer);
  }

  /** The client sends no more queries and has all its answers; an incomplete last message is ignored. */
  #endIfDone({ hasEnded, underWay, splitter, socket }: TcpPeer): void {
    if (hasEnded && underWay === 0 && !splitter.hasWhole) socket.end();
  }

  /** Closes a client that has completed no query first; otherwise the longest idle one. */
  #makeRoom(): boolean {
    let idle: TcpPeer | undefined;
    for (const peer of this.#peers) {
      if (peer.queries === 0) return this.#end(peer);
      if (peer.isIdle && (idle === undefined || peer.waitingSinceMs < idle.waitingSinceMs)) {
        idle = peer;
      }
    }
    return idle !== undefined && this.#end(idle);
  }

  #end(peer: TcpPeer): true {
    this.#parts.counters.tcpConnectionsEvicted += 1;
    this.#forget(peer);
    peer.socket.destroy();
    return true;
  }

  #forget(peer: TcpPeer): void {
    if (this.#peers.delete(peer)) this.#parts.counters.tcpConnections -= 1;
  }

  #sweep(): void {
    const { clock, idleMs } = this.#parts;
    const nowMs = clock.monotonicMs();
    for (const peer of this.#peers) {
      if (peer.isOverdue(nowMs, idleMs)) peer.socket.destroy();
    }
  }
}
