import { type RemoteInfo, type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Counters } from '../counting/counters.ts';
import { isLoopback } from './loopback.ts';
import type { QueryLimit } from './query-limit.ts';
import type { Arrival, Responder } from './responder.ts';

/** Bursts are queued here while the event loop is busy; in bytes, the system may grant less. */
const RECEIVE_BUFFER_BYTES = 4 * 1_024 * 1_024;
/** Largest payload of a UDP packet, in bytes. Loopback transfers it whole. */
const MAX_UDP_BYTES = 65_507;

/** Larger packets to other machines may be fragmented and lost, in bytes (DNS Flag Day 2020). */
export const SAFE_UDP_BYTES = 1_232;

export interface UdpListenerParts {
  readonly responder: Responder;
  readonly counters: Counters;
  readonly limit: Pick<QueryLimit, 'admit'>;
  /**
   * The largest answer, in bytes; undefined = {@link SAFE_UDP_BYTES}, but for clients on this
   * machine whatever they request.
   */
  readonly udpPayload: number | undefined;
}

/** One UDP socket of the server. */
export class UdpListener {
  readonly #parts: UdpListenerParts;
  readonly #socket: Socket;
  readonly #near: Arrival;
  readonly #far: Arrival;
  #closed: Promise<unknown> | undefined;

  private constructor(parts: UdpListenerParts, host: string) {
    this.#parts = parts;
    const { udpPayload } = parts;
    this.#near = { transport: 'udp', maxBytes: udpPayload ?? MAX_UDP_BYTES };
    this.#far = { transport: 'udp', maxBytes: udpPayload ?? SAFE_UDP_BYTES };
    const isV6 = isIPv6(host);
    this.#socket = createSocket({
      type: isV6 ? 'udp6' : 'udp4',
      ipv6Only: isV6,
      // Peers are numeric addresses: a lookup would cost a turn of the event loop each.
      lookup: (address, _options, found) => found(null, address, isV6 ? 6 : 4),
    });
  }

  /** Rejects with the system's error when the address cannot be bound. */
  static async open(
    parts: UdpListenerParts,
    { host, port }: { readonly host: string; readonly port: number },
  ): Promise<UdpListener> {
    const listener = new UdpListener(parts, host);
    const socket = listener.#socket;
    // The lookup above is synchronous, so the socket may be listening before bind returns.
    const listening = once(socket, 'listening');
    socket.bind({ address: host, port, exclusive: true });
    await listening;
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    } catch {
      // The larger buffer is optional; the system's default size works too.
    }
    socket.on('error', () => (parts.counters.sendErrors += 1));
    socket.on('message', (message, peer) => listener.#receive(message, peer));
    return listener;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): Promise<unknown> {
    return (this.#closed ??= new Promise((resolve) =>
      this.#socket.close(() => resolve(undefined)),
    ));
  }

  #receive(message: Buffer, peer: RemoteInfo): void {
    const { counters, responder, limit } = this.#parts;
    counters.udpQueries += 1;
    const { address, port } = peer;
    // Port 0 cannot receive an answer; only forged packets come from it.
    if (port === 0) {
      counters.dropped += 1;
      return;
    }
    const reply = (answer: Buffer) => this.#send(answer, port, address);
    if (!limit.admit(address)) {
      counters.limited += 1;
      responder.deflect(message, reply);
      return;
    }
    responder.respond(message, isLoopback(address) ? this.#near : this.#far, reply);
  }

  #send(answer: Buffer, port: number, address: string): void {
    if (this.#closed !== undefined) return;
    try {
      this.#socket.send(answer, port, address);
    } catch {
      this.#parts.counters.sendErrors += 1;
    }
  }
}
