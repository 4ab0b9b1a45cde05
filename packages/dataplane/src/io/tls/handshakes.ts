import type { Socket } from 'node:net';
import type { Clock, Timer } from '@rollcall/runtime';
import type { Arrivals } from '../transport.ts';

export interface HandshakeBounds {
  /** From the accepted connection to the end of the handshake, in ms. */
  readonly handshakeMs: number;
  /** How many may be under way. */
  readonly handshakeLimit: number;
}

/** A handshake under way. */
interface Handshake {
  readonly key: string;
  readonly raw: Socket;
  readonly arrivals: Arrivals;
  readonly until: number;
  /** The sweep before it began. */
  readonly since: number;
}

type GivenUp = (raw: Socket, fault: 'timeout' | 'limit') => void;

const SWEEP_MS = 250;
/**
 * Sweeps after which a handshake makes room for a new one. Counted in sweeps and not in time: between two sweeps all
 * bytes that have arrived are read, so a client that is still not done has itself kept silent, however busy this
 * process is.
 */
const PATIENCE_SWEEPS = 4;

/**
 * The handshakes under way. Beyond the limit, a slow one makes room for a new one; if there is no slow one, the new one
 * is refused.
 */
export class Handshakes {
  readonly #clock: Clock;
  readonly #onGivenUp: GivenUp;
  #bounds: HandshakeBounds;
  /** Oldest first. */
  readonly #open = new Map<string, Handshake>();
  /** Runs while there is one. */
  #sweeps: Timer | undefined;
  #count = 0;
  readonly #waiting = new Map<Arrivals, PromiseWithResolvers<void>>();

  /** `onGivenUp` is called before the connection is reset. */
  constructor(bounds: HandshakeBounds, clock: Clock, onGivenUp: GivenUp) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#onGivenUp = onGivenUp;
  }

  get underWay(): number {
    return this.#open.size;
  }

  /** For handshakes that begin from now on. */
  configure(bounds: HandshakeBounds): void {
    this.#bounds = bounds;
  }

  underWayOf(arrivals: Arrivals): number {
    let count = 0;
    for (const handshake of this.#open.values()) if (handshake.arrivals === arrivals) count++;
    return count;
  }

  /** False: there is no room for it. */
  begin(raw: Socket, arrivals: Arrivals): boolean {
    const { handshakeMs, handshakeLimit } = this.#bounds;
    if (this.#open.size >= handshakeLimit && !this.#makeRoom()) return false;
    const key = keyOf(raw);
    const until = this.#clock.monotonicMs() + handshakeMs;
    const handshake = { key, raw, arrivals, until, since: this.#count };
    this.#open.set(key, handshake);
    this.#sweeps ??= this.#clock.every(SWEEP_MS, () => this.#sweep());
    raw.once('close', () => this.#forget(handshake));
    return true;
  }

  /** The handshake of the connection with these ends is complete. Undefined: it was given up. */
  end(ends: Ends): Handshake | undefined {
    const handshake = this.#open.get(keyOf(ends));
    if (handshake !== undefined) this.#forget(handshake);
    return handshake;
  }

  /** Resolves when none that belongs there is under way. */
  async settled(arrivals: Arrivals): Promise<void> {
    if (this.underWayOf(arrivals) === 0) return;
    const waiting = this.#waiting.get(arrivals) ?? Promise.withResolvers<void>();
    this.#waiting.set(arrivals, waiting);
    await waiting.promise;
  }

  giveUp(arrivals: Arrivals): void {
    for (const handshake of this.#open.values())
      if (handshake.arrivals === arrivals) this.#giveUp(handshake, 'timeout');
  }

  #makeRoom(): boolean {
    const [oldest] = this.#open.values();
    if (oldest === undefined || this.#count - oldest.since < PATIENCE_SWEEPS) return false;
    this.#giveUp(oldest, 'limit');
    return true;
  }

  #sweep(): void {
    this.#count++;
    const now = this.#clock.monotonicMs();
    for (const handshake of this.#open.values())
      if (now >= handshake.until) this.#giveUp(handshake, 'timeout');
  }

  #giveUp(handshake: Handshake, fault: 'timeout' | 'limit'): void {
    const { raw } = handshake;
    this.#forget(handshake);
    // Failed for another reason just now.
    if (raw.destroyed) return;
    this.#onGivenUp(raw, fault);
    raw.resetAndDestroy();
  }

  #forget(handshake: Handshake): void {
    const { key, arrivals } = handshake;
    // After the end of a connection another one may have the same ends.
    if (this.#open.get(key) !== handshake) return;
    this.#open.delete(key);
    if (this.#open.size === 0) {
      this.#sweeps?.cancel();
      this.#sweeps = undefined;
    }
    const waiting = this.#waiting.get(arrivals);
    if (waiting === undefined || this.underWayOf(arrivals) > 0) return;
    this.#waiting.delete(arrivals);
    waiting.resolve();
  }
}

/** Both ends of a connection, as a socket knows them. */
export interface Ends {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** Unique among the connections of a machine. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
