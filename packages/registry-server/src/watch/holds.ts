import { type HoldEvent, ProblemError, WATCH_PING_MS } from '@rollcall/contract';
import type { Clock, Timer } from '../runtime/clock.ts';
import type { HoldOutcome } from '../store/store.ts';
import { encodeFrame, type Frame } from './frame.ts';
import type { EventStream } from './stream.ts';

/** What the desk needs of the registry. */
export interface HoldKeeper {
  hold(lease: string): Promise<HoldOutcome>;
  suspect(lease: string, hold: number, isSecondLook?: boolean): Promise<boolean>;
}

/** What became of the leases that a stream asked to hold. */
export interface HoldsTaken {
  readonly holds: ReadonlyMap<string, number>;
  readonly event: HoldEvent;
}

/**
 * How long after a hold broke it is looked at again, in ms: a heartbeat that was on its way when its process died comes in
 * after the end of the connection and says that all is well. Who lives has another hold by then.
 */
const SECOND_LOOK_MS = 150;

const PING = encodeFrame('ping', {});
const MOVE = encodeFrame('move', {});

/**
 * The hold streams of this server: leases bound to open connections. Only when the other side closes one are its
 * leases suspect; never when this server goes away, or the network does, since then the TTL decides.
 */
export class HoldDesk {
  readonly #keeper: HoldKeeper;
  readonly #clock: Clock;
  /** Number of the hold by lease; undefined = the store does not know the lease now. */
  readonly #streams = new Map<EventStream, Map<string, number | undefined>>();
  readonly #timer: Timer;
  #isClosing = false;
  readonly totals = { broken: 0, suspected: 0, overQuota: 0 };

  constructor(keeper: HoldKeeper, clock: Clock) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#timer = clock.every(WATCH_PING_MS * 0.8, () => {
      this.#send(PING);
      void this.renumber((hold) => hold === undefined);
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Throws once this server is going away. */
  checkOpen(): void {
    if (this.#isClosing) throw new ProblemError('shutting_down', 'hold at another server');
  }

  /** Numbers a hold on each lease. */
  async take(leases: readonly string[]): Promise<HoldsTaken> {
    const outcomes = await Promise.all(leases.map((lease) => this.#keeper.hold(lease)));
    const holds = new Map<string, number>();
    const event: HoldEvent = { held: [], unknown: [], superseded: [] };
    for (const [i, outcome] of outcomes.entries()) {
      const lease = leases[i] as string;
      event[outcome.kind].push(lease);
      if (outcome.kind === 'held') holds.set(lease, outcome.hold);
    }
    return { holds, event };
  }

  /** Keeps a stream until it ends. */
  keep(stream: EventStream, { holds, event }: HoldsTaken): void {
    const kept = new Map<string, number | undefined>(holds);
    this.#streams.set(stream, kept);
    stream.send(encodeFrame('held', event));
    if (this.#isClosing) stream.send(MOVE);
    stream.onEnd((end) => {
      this.#streams.delete(stream);
      if (end !== 'peer' || this.#isClosing) return;
      this.totals.broken++;
      for (const [lease, hold] of kept) if (hold !== undefined) void this.#suspect(lease, hold);
    });
  }

  /** The store lost its numbers: the open streams take theirs anew. What it does not know yet is asked for again later. */
  async renumber(
    isDue: (hold: number | undefined, lease: string) => boolean = () => true,
  ): Promise<void> {
    for (const [stream, holds] of this.#streams) {
      for (const [lease, known] of holds) {
        if (!isDue(known, lease)) continue;
        const outcome = await this.#keeper.hold(lease).catch(() => undefined);
        if (outcome?.kind === 'superseded') holds.delete(lease);
        else if (outcome?.kind !== 'held') holds.set(lease, undefined);
        else if (stream.isOpen) holds.set(lease, outcome.hold);
        else void this.#suspect(lease, outcome.hold);
      }
    }
  }

  /** Tells every stream to move to another server. */
  move(): void {
    this.#isClosing = true;
    this.#send(MOVE);
  }

  /** Ends every stream; twice without harm. */
  close(): void {
    this.#isClosing = true;
    this.#timer.cancel();
    for (const stream of this.#streams.keys()) stream.close();
  }

  async #suspect(lease: string, hold: number): Promise<void> {
    try {
      if (!(await this.#keeper.suspect(lease, hold))) return;
      this.totals.suspected++;
      this.#clock.after(SECOND_LOOK_MS, () => {
        if (!this.#isClosing) void this.#keeper.suspect(lease, hold, true).catch(() => {});
      });
    } catch {
      // The store is away: the TTL decides.
    }
  }

  #send(frame: Frame): void {
    for (const stream of this.#streams.keys()) stream.send(frame);
  }
}
