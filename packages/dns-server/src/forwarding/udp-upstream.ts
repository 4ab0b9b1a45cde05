import { type Socket, createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock, Random } from '@rollcall/runtime';
import { Query, readQuery } from '../wire/query.ts';
import { IDS, type Upstream, type UpstreamAddress, answersTo, withId } from './upstream.ts';

interface Pending {
  readonly query: Buffer;
  readonly questionEnd: number;
  readonly endMs: number;
  readonly done: (answer: Buffer | undefined) => void;
}

export interface UpstreamParts {
  readonly clock: Pick<Clock, 'monotonicMs' | 'every'>;
  /** Creates unpredictable ids for forwarded queries. */
  readonly random: Pick<Random, 'below'>;
  readonly timeoutMs: number;
}

/** Asks over one connected UDP socket: the system accepts answers from no other address. */
export class UdpUpstream implements Upstream {
  readonly #address: UpstreamAddress;
  readonly #parts: UpstreamParts;
  /** By the id under which it was forwarded; ordered by deadline. */
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | undefined;

  constructor(address: UpstreamAddress, parts: UpstreamParts) {
    this.#address = address;
    this.#parts = parts;
  }

  ask(message: Buffer, done: (answer: Buffer | undefined) => void): void {
    const { clock, timeoutMs } = this.#parts;
    const query = new Query();
    readQuery(message, query);
    const { questionEnd } = query;
    const id = this.#freeId();
    this.#pending.set(id, {
      query: message,
      questionEnd,
      endMs: clock.monotonicMs() + timeoutMs,
      done,
    });
    const socket = (this.#socket ??= this.#open());
    const bytes = withId(message, id);
    const send = () => socket.send(bytes, () => {});
    try {
      socket.remoteAddress();
      send();
    } catch {
      // Not connected yet. The address is numeric, so connecting takes only one turn of the event loop.
      socket.once('connect', send);
    }
  }

  checkDeadlines(nowMs: number): void {
    for (const [id, { endMs, done }] of this.#pending) {
      if (endMs > nowMs) return;
      this.#pending.delete(id);
      done(undefined);
    }
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#giveUpAll();
  }

  #open(): Socket {
    const { host, port } = this.#address;
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
    socket.on('message', (answer) => this.#receive(answer));
    // Nothing listens there: waiting would not help the askers.
    socket.on('error', () => {
      if (this.#socket === socket) this.close();
    });
    socket.connect(port, host);
    return socket;
  }

  #receive(answer: Buffer): void {
    if (answer.length < 2) return;
    const id = answer.readUInt16BE(0);
    const pending = this.#pending.get(id);
    if (pending === undefined || !answersTo(answer, pending.query, pending.questionEnd)) return;
    this.#pending.delete(id);
    pending.done(withId(answer, pending.query.readUInt16BE(0)));
  }

  #giveUpAll(): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { done } of all) done(undefined);
  }

  #freeId(): number {
    let id = this.#parts.random.below(IDS);
    while (this.#pending.has(id)) id = this.#parts.random.below(IDS);
    return id;
  }
}
