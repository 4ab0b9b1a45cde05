import type { Socket } from 'node:net';
import type { Clock, Timer } from '@rollcall/runtime';

export interface HandshakeBounds {
  /** From the accepted connection to the end of the handshake, in ms. */
  readonly handshakeMs: number;
  /** How many may be under way. */
  readonly limit: number;
}

interface Handshake {
  readonly key: string;
  readonly raw: Socket;
  readonly until: number;
  /** The sweep before it began. */
  readonly since: number;
}

const SWEEP_MS = 250;
/**
 * Sweeps after which a handshake makes room for a new one. Counted in sweeps and not in time: between two sweeps all
 * bytes that have arrived are read, so a client that is still not done has itself kept silent, however busy this
 * process is.
 */
const PATIENCE_SWEEPS = 4;
/** When no more connections are accepted, the handshakes under way get this long. */
const CLOSING_MS = 1_000;

/**
 * The handshakes under way at one listener. Beyond the limit, a slow one makes room for a new one; if there is no slow
 * one, the new one is refused.
 */
export class Handshakes {
  readonly #bounds: HandshakeBounds;
  readonly #clock: Clock;
  readonly #onGivenUp: (raw: Socket, fault: 'timeout' | 'limit') => void;
  /** Oldest first. */
  readonly #open = new Map<string, Handshake>();
  readonly #sweeps: Timer;
  #count = 0;
  #closeBy = Number.POSITIVE_INFINITY;
  #onEmpty: (() => void) | undefined;

  /** `onGivenUp` is called before the connection is reset. */
  constructor(
    bounds: HandshakeBounds,
    clock: Clock,
    onGivenUp: (raw: Socket, fault: 'timeout' | 'limit') => void,
  ) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#onGivenUp = onGivenUp;
    this.#sweeps = clock.every(SWEEP_MS, () => this.#sweep());
  }

  get underWay(): number {
    return this.#open.size;
  }

  /** False: there is no room for it. */
  begin(raw: Socket): boolean {
    if (this.#open.size >= this.#bounds.limit && !this.#makeRoom()) return false;
    const key = keyOf(raw);
    const until = this.#clock.monotonicMs() + this.#bounds.handshakeMs;
    const handshake = { key, raw, until, since: this.#count };
    this.#open.set(key, handshake);
    raw.once('close', () => this.#forget(handshake));
    return true;
  }

  /** The handshake of the connection with these ends is complete. Returns its TCP socket; undefined: it is over. */
  end(ends: PeerEnd): Socket | undefined {
    const handshake = this.#open.get(keyOf(ends));
    if (handshake === undefined) return undefined;
    this.#forget(handshake);
    return handshake.raw;
  }

  /** Resolves when none is under way any more. */
  async close(): Promise<void> {
    this.#closeBy = this.#clock.monotonicMs() + CLOSING_MS;
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#sweeps.cancel();
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
    for (const handshake of this.#open.values()) {
      if (now < Math.min(handshake.until, this.#closeBy)) return;
      this.#giveUp(handshake, 'timeout');
    }
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
    // After the end of a connection another one may have the same ends.
    if (this.#open.get(handshake.key) !== handshake) return;
    this.#open.delete(handshake.key);
    if (this.#open.size === 0) this.#onEmpty?.();
  }
}

export interface PeerEnd {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
}

/** Unique among the connections of one listener. */
function keyOf({ remoteAddress, remotePort, localAddress }: PeerEnd): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
