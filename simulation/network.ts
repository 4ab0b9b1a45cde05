import type { SeededRandom } from './random.ts';
import type { Timeline } from './timeline.ts';

/** Normal latency of a message, in ms. */
const LATENCY_MS = [0.1, 1] as const;

/**
 * What happens to messages: `held` messages arrive once the way is open again, because TCP retransmits
 * them; `lost` messages never arrive.
 */
type Passage = 'open' | 'held' | 'lost';

/** The connection from one machine to another, in one direction. */
class Way {
  passage: Passage = 'open';
  extraMs = 0;
  readonly pipes = new Set<Pipe>();
}

/** The network between named machines. Each fault applies to a way, for existing and new connections. */
export class Network {
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  readonly #ways = new Map<string, Way>();

  constructor(timeline: Timeline, random: SeededRandom) {
    this.#timeline = timeline;
    this.#random = random;
  }

  /** One direction of a new connection. `onBroken`: earlier messages are lost, and the other side reports it. */
  pipe(from: string, to: string, onBroken: () => void): Pipe {
    const way = this.#way(from, to);
    const delayMs = () => this.#random.between(...LATENCY_MS) + way.extraMs;
    return new Pipe(this.#timeline, way, { delayMs, onBroken });
  }

  /** Changes the way from one machine to another; held messages continue once it is open. */
  set(from: string, to: string, passage: Passage, extraMs = 0): void {
    const way = this.#way(from, to);
    way.passage = passage;
    way.extraMs = extraMs;
    if (passage === 'open') for (const pipe of way.pipes) pipe.flush();
  }

  /** Both directions. */
  setBoth(a: string, b: string, passage: Passage, extraMs = 0): void {
    this.set(a, b, passage, extraMs);
    this.set(b, a, passage, extraMs);
  }

  /** Whether messages pass between the two machines in both directions. */
  isOpen(a: string, b: string): boolean {
    return this.#way(a, b).passage === 'open' && this.#way(b, a).passage === 'open';
  }

  /** Resets every connection between the two, as a restarting proxy does. */
  reset(a: string, b: string): void {
    for (const way of [this.#way(a, b), this.#way(b, a)]) {
      for (const pipe of way.pipes) pipe.break();
    }
  }

  heal(): void {
    for (const way of this.#ways.values()) {
      way.passage = 'open';
      way.extraMs = 0;
    }
    for (const way of this.#ways.values()) for (const pipe of way.pipes) pipe.flush();
  }

  #way(from: string, to: string): Way {
    const key = `${from}>${to}`;
    let way = this.#ways.get(key);
    if (way === undefined) this.#ways.set(key, (way = new Way()));
    return way;
  }
}

interface PipeParts {
  readonly delayMs: () => number;
  readonly onBroken: () => void;
}

/** One direction of a connection: messages arrive in order, or the connection breaks. */
export class Pipe {
  readonly #timeline: Timeline;
  readonly #way: Way;
  readonly #parts: PipeParts;
  #held: (() => void)[] = [];
  #lastMs = 0;
  #hasLost = false;
  #isOver = false;

  constructor(timeline: Timeline, way: Way, parts: PipeParts) {
    this.#timeline = timeline;
    this.#way = way;
    this.#parts = parts;
    way.pipes.add(this);
  }

  send(arrive: () => void): void {
    if (this.#isOver) return;
    if (this.#way.passage === 'lost') this.#hasLost = true;
    else if (this.#hasLost) this.break();
    else if (this.#way.passage === 'held') this.#held.push(arrive);
    else this.#go(arrive);
  }

  flush(): void {
    for (const arrive of this.#held.splice(0)) this.#go(arrive);
  }

  /** Stops all messages and notifies both ends. */
  break(): void {
    if (this.#isOver) return;
    this.close();
    this.#parts.onBroken();
  }

  close(): void {
    this.#isOver = true;
    this.#held = [];
    this.#way.pipes.delete(this);
  }

  #go(arrive: () => void): void {
    const atMs = Math.max(this.#timeline.nowMs + this.#parts.delayMs(), this.#lastMs);
    this.#lastMs = atMs;
    this.#timeline.plan(atMs - this.#timeline.nowMs, arrive);
  }
}
