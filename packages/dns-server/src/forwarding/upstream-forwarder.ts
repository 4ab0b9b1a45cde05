import type { Timer } from '@rollcall/runtime';
import type { Counters } from '../counting/counters.ts';
import type { Forwarder, Transport } from './forwarder.ts';
import { SharedQuestions } from './shared-questions.ts';
import { TcpUpstream } from './tcp-upstream.ts';
import { UdpUpstream, type UpstreamParts } from './udp-upstream.ts';
import { type Upstream, type UpstreamAddress, withId } from './upstream.ts';

/** Interval between checks for overdue queries, in ms. */
const CHECK_MS = 100;

export interface ForwarderParts extends UpstreamParts {
  readonly counters: Counters;
  /** Maximum number of queries in progress. */
  readonly maxInFlight: number;
}

/**
 * Asks one upstream after another until one answers, starting with the one that answered last. Identical
 * simultaneous questions are asked once.
 */
export class UpstreamForwarder implements Forwarder {
  readonly #parts: ForwarderParts;
  readonly #upstreams: Readonly<Record<Transport, readonly Upstream[]>>;
  readonly #checkTimer: Timer;
  readonly #questions = new SharedQuestions();
  #first = 0;
  #inFlight = 0;
  #isClosed = false;

  constructor(addresses: readonly UpstreamAddress[], parts: ForwarderParts) {
    this.#parts = parts;
    this.#upstreams = {
      udp: addresses.map((address) => new UdpUpstream(address, parts)),
      tcp: addresses.map((address) => new TcpUpstream(address, parts)),
    };
    this.#checkTimer = parts.clock.every(CHECK_MS, () => {
      const nowMs = parts.clock.monotonicMs();
      for (const upstream of this.#all()) upstream.checkDeadlines(nowMs);
    });
  }

  ask(message: Buffer, transport: Transport, done: (answer: Buffer | undefined) => void): void {
    const { counters, maxInFlight } = this.#parts;
    if (this.#inFlight >= maxInFlight || this.#isClosed) {
      counters.forwardRefusals += 1;
      done(undefined);
      return;
    }
    const entry = this.#questions.enter(message, transport, done);
    if (entry === 'refused') {
      counters.forwardRefusals += 1;
      done(undefined);
      return;
    }
    this.#inFlight += 1;
    // Copied because a message over TCP shares memory with its neighbours (a UDP packet does not).
    if (entry === 'sent') this.#send(Buffer.from(message), transport);
  }

  close(): void {
    this.#isClosed = true;
    this.#checkTimer.cancel();
    for (const upstream of this.#all()) upstream.close();
  }

  #send(query: Buffer, transport: Transport): void {
    const { counters } = this.#parts;
    counters.forwarded += 1;
    const upstreams = this.#upstreams[transport];
    const first = this.#first;
    const tryNext = (attempt: number): void => {
      const index = (first + attempt) % upstreams.length;
      upstreams[index]!.ask(query, (answer) => {
        if (answer === undefined && attempt + 1 < upstreams.length && !this.#isClosed) {
          return tryNext(attempt + 1);
        }
        if (answer === undefined) counters.forwardTimeouts += 1;
        else this.#first = index;
        const askers = this.#questions.finish(query, transport);
        this.#inFlight -= askers.length;
        for (const { id, done } of askers) done(answer && withId(answer, id));
      });
    };
    tryNext(0);
  }

  #all(): readonly Upstream[] {
    return [...this.#upstreams.udp, ...this.#upstreams.tcp];
  }
}
