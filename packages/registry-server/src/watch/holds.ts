import { type HoldEvent, ProblemError, WATCH_PING_MS } from '@rollcall/contract';
import type { Loop, Supervisor } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';
import type { HoldOutcome } from '../store/store.ts';
import { encodeFrame, type Frame } from './frame.ts';
import type { EventStream } from './stream.ts';

/** The registry methods that the tracker needs. */
export interface HoldKeeper {
  hold(lease: string): Promise<HoldOutcome>;
  suspect(lease: string, hold: number, isSecondLook?: boolean): Promise<boolean>;
}

/** The outcome for the leases that a stream asked to hold. */
export interface HoldsTaken {
  readonly holds: ReadonlyMap<string, number>;
  readonly event: HoldEvent;
}

/**
 * How long after a hold broke it is checked again, in ms. A heartbeat sent just before its process died may arrive
 * after the connection ended, and clear the doubt. A process that is alive has a new hold by then.
 */
const SECOND_LOOK_MS = 150;

const PING = encodeFrame('ping', {});
const MOVE = encodeFrame('move', {});

/**
 * The hold streams of this server: leases bound to open connections. Leases become suspect only when the other side
 * closes its stream. When this server goes away, or the network fails, the TTL decides.
 */
export class HoldTracker {
  readonly #keeper: HoldKeeper;
  readonly #clock: Clock;
  readonly #supervisor: Supervisor;
  /** Hold number by lease; undefined = the store does not know the lease at the moment. */
  readonly #streams = new Map<EventStream, Map<string, number | undefined>>();
  readonly #loop: Loop;
  #isClosing = false;
  readonly totals = { broken: 0, suspected: 0, overQuota: 0 };

  constructor(keeper: HoldKeeper, clock: Clock, supervisor: Supervisor) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.#supervisor = supervisor;
    this.#loop = supervisor.every('holds', WATCH_PING_MS * 0.8, () => {
      this.#send(PING);
      void this.renumber((hold) => hold === undefined);
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Throws once this server is shutting down. */
  checkOpen(): void {
    if (this.#isClosing) throw new ProblemError('shutting_down', 'hold at another server');
  }

  /** Numbers a hold on each lease. */
  async numberHolds(leases: readonly string[]): Promise<HoldsTaken> {
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
  track(stream: EventStream, { holds, event }: HoldsTaken): void {
    const kept = new Map<string, number | undefined>(holds);
    this.#streams.set(stream, kept);
    stream.send(encodeFrame('held', event));
    if (this.#isClosing) stream.send(MOVE);
    stream.onEnd((end) => {
      this.#streams.delete(stream);
      if (end !== 'peer' || this.#isClosing) return;
      this.totals.broken++;
      for (const [lease, hold] of kept) if (hold !== undefined) this.#suspect(lease, hold);
    });
  }

  /**
   * The store lost its hold numbers: every open stream gets new ones. A lease that the store does not know yet is tried
   * again later. Never rejects.
   */
  async renumber(
    isDue: (hold: number | undefined, lease: string) => boolean = () => true,
  ): Promise<void> {
    for (const [stream, holds] of this.#streams) {
      for (const [lease, known] of holds) {
        if (!isDue(known, lease)) continue;
        await this.#supervisor.run('holds', () => this.#renumber(stream, holds, lease));
      }
    }
  }

  async #renumber(
    stream: EventStream,
    holds: Map<string, number | undefined>,
    lease: string,
  ): Promise<void> {
    let outcome: HoldOutcome | undefined;
    try {
      outcome = await this.#keeper.hold(lease);
    } finally {
      if (outcome === undefined) holds.set(lease, undefined);
    }
    if (outcome.kind === 'superseded') holds.delete(lease);
    else if (outcome.kind !== 'held') holds.set(lease, undefined);
    else if (stream.isOpen) holds.set(lease, outcome.hold);
    else this.#suspect(lease, outcome.hold);
  }

  /** Tells every stream to move to another server. */
  move(): void {
    this.#isClosing = true;
    this.#send(MOVE);
  }

  /** Ends every stream. May be called twice. */
  close(): void {
    this.#isClosing = true;
    this.#loop.cancel();
    for (const stream of this.#streams.keys()) stream.close();
  }

  /** Reports a broken hold. If the store is away, the TTL decides. */
  #suspect(lease: string, hold: number): void {
    void this.#supervisor.run('holds', async () => {
      if (!(await this.#keeper.suspect(lease, hold))) return;
      this.totals.suspected++;
      this.#clock.after(SECOND_LOOK_MS, () => {
        if (this.#isClosing) return;
        void this.#supervisor.run('holds', () => this.#keeper.suspect(lease, hold, true));
      });
    });
  }

  #send(frame: Frame): void {
    for (const stream of this.#streams.keys()) stream.send(frame);
  }
}
