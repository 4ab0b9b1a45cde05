import { instanceKeyOf, serviceKeyOf } from '@rollcall/contract';
import { isDeepStrictEqual } from 'node:util';
import type { Supervisor } from '@rollcall/daemon';
import { pause, type Clock } from '@rollcall/runtime';
import type { LogEntry, StoreHead } from '../store/log-entry.ts';
import {
  type Store,
  StoreRefusalError,
  type StoreSnapshot,
  StoreUnavailableError,
  type SweepOutcome,
} from '../store/store.ts';
import type { Picture, ServiceChange } from './picture.ts';
import { Roll } from './roll.ts';
import { soundEntry, soundSnapshot, type Unreadable } from './soundness.ts';
import { SELF } from './instances/own-service.ts';

const RETRY_MS = 200;
const OWN = serviceKeyOf(SELF);

/** Longest pause after repeated faults of this server, in ms: each relist of the whole roll loads the store. */
const LONGEST_RETRY_MS = 5_000;

/** How often in a row a store may lose what was just given back to it. */
const MOST_ROUNDS = 10;

/** Listener of the follower. Called in the order of the log, never concurrently. */
export interface FollowerEvents {
  /** Entries were applied; `changes` is the visible difference. */
  applied(entries: readonly LogEntry[], changes: readonly ServiceChange[]): void;
  /**
   * The roll was read anew: a listener that counts on every single change has missed some. `hasForgotten`: the store
   * lost what only it knew, such as the numbers of holds.
   */
  relisted(changes: readonly ServiceChange[], hasForgotten: boolean): void;
  /**
   * The roll was read for the first time. `isWhole`: no instance is known to be missing, since the roll is not empty
   * and the store was not away.
   */
  loaded(isWhole: boolean): void;
  /** The store went away or came back. The picture stays as it is meanwhile. */
  reachable(isReachable: boolean, error: Error | undefined): void;
  /** The set of unreadable entries, which the picture leaves out, has changed. */
  unreadable(records: Unreadable): void;
  /** The store had lost its data and took this many entries from this server's picture. */
  restored(taken: number): void;
}

export interface FollowerParts {
  readonly store: Store;
  readonly picture: Picture;
  readonly clock: Clock;
  readonly supervisor: Supervisor;
}

/**
 * Keeps the picture up to date with the store's log. Each entry names the one before it. If the chain breaks, the roll
 * is read anew; if it broke because the store lost writes, the follower first offers this server's picture to it.
 */
export class Follower {
  readonly #store: Store;
  readonly #picture: Picture;
  readonly #clock: Clock;
  readonly #events: FollowerEvents;
  readonly #supervisor: Supervisor;
  #isReachable: boolean | undefined;
  /** The roll was read from a store that refuses writes, so without the sweep that shows how old the data is. */
  #isUnswept = false;

  constructor({ store, picture, clock, supervisor }: FollowerParts, events: FollowerEvents) {
    this.#store = store;
    this.#picture = picture;
    this.#clock = clock;
    this.#supervisor = supervisor;
    this.#events = events;
  }

  get isStoreReachable(): boolean {
    return this.#isReachable === true;
  }

  /** Whether the store refused the sweep before the roll was read. */
  get isUnswept(): boolean {
    return this.#isUnswept;
  }

  /** Follows until the signal aborts; does not reject. */
  async run(signal: AbortSignal): Promise<void> {
    let faults = 0;
    while (!signal.aborted) {
      let error: unknown;
      try {
        const isDue = !this.#picture.isLoaded || faults > 0;
        if (isDue || (this.#isUnswept && (await this.#canSweep()))) await this.#relist(signal);
        await this.#step(signal);
        this.#setReachable(true);
        faults = 0;
        continue;
      } catch (thrown) {
        error = thrown;
      }
      if (signal.aborted) return;
      if (error instanceof StoreUnavailableError) this.#setReachable(false, error);
      else {
        // An unreadable entry, or a fault of this server. The roll contains what the log says, so read it anew.
        this.#supervisor.report('follower', error);
        faults++;
      }
      const pauseMs = Math.min(RETRY_MS * 2 ** Math.max(0, faults - 1), LONGEST_RETRY_MS);
      await pause(this.#clock, pauseMs, signal).catch(() => {});
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { revision, epoch, digest } = this.#picture;
    const page = await this.#store.follow(revision, signal);
    const first = page.entries[0];
    if (first !== undefined) {
      if (first.prev !== revision || first.before !== digest || !isChain(page.entries)) {
        return this.#relist(signal);
      }
      const entries = page.entries.map(soundEntry);
      this.#events.applied(entries, this.#picture.apply(entries));
      this.#noteUnreadable(entries);
      this.#picture.confirm();
      return undefined;
    }
    const { head } = page;
    if (head?.epoch !== epoch || head.revision < revision) return this.#relist(signal);
    if (head.revision !== revision) return undefined;
    if (head.digest !== digest) return this.#relist(signal);
    this.#picture.confirm();
    return undefined;
  }

  /**
   * Reads the roll anew. If the store lost data, it is first given what this server knows. Its answer counts only while
   * it still has that: it may lose data again at any moment, and must not replace a fuller picture then.
   */
  async #relist(signal: AbortSignal): Promise<void> {
    const isFirst = !this.#picture.isLoaded;
    let anchor: StoreHead | undefined = isFirst ? undefined : this.#picture.head;
    let hasForgotten = false;
    let read = await this.#readOnce(anchor, signal);
    for (let rounds = 0; read === undefined; rounds++) {
      if (rounds === MOST_ROUNDS) {
        throw new StoreUnavailableError('the store loses its data faster than it can be restored');
      }
      anchor = await this.#giveBack();
      hasForgotten = true;
      read = await this.#readOnce(anchor, signal);
    }
    const { roll, unreadable, isUncertain } = read;
    this.#isUnswept = read.isUnswept;
    this.#setReachable(true);
    this.#setUnreadable(unreadable);
    this.#events.relisted(this.#picture.replace(roll), hasForgotten);
    this.#picture.confirm();
    if (isFirst) this.#events.loaded(!isUncertain && !isEmptyRoll(roll));
  }

  /** Undefined when the store has lost a position that it should have. */
  async #readOnce(anchor: StoreHead | undefined, signal: AbortSignal) {
    const hasLost = async () =>
      anchor !== undefined && (await this.#store.continuity(anchor)) === 'lost';
    if (await hasLost()) return undefined;
    const read = await this.#read(signal);
    return (await hasLost()) ? undefined : read;
  }

  async #giveBack(): Promise<StoreHead> {
    const { revision, roll } = this.#picture;
    const offer = (roll as Roll).offer(this.#clock.monotonicMs());
    const { taken, head } = await this.#store.restore({ ...offer, floor: revision });
    this.#events.restored(taken);
    return head;
  }

  async #read(signal: AbortSignal) {
    const swept = await this.#sweep(signal);
    const snapshot = await this.#store.snapshot();
    const isUnswept = swept instanceof StoreRefusalError;
    // Without an epoch there is no roll to read: nothing was ever written.
    if (isUnswept && snapshot.head.epoch === '') throw swept;
    const { sound, unreadable } = soundSnapshot(snapshot);
    const roll = new Roll(isUnswept ? doubted(sound) : sound, this.#clock.monotonicMs());
    while (roll.revision < snapshot.upTo) {
      const { entries } = await this.#store.follow(roll.revision, signal);
      const [first] = entries;
      const isNext = first?.prev === roll.revision && first.before === roll.digest;
      if (!isNext || !isChain(entries)) {
        throw new StoreUnavailableError('the log moved on while the roll was being read');
      }
      const readable = entries.map(soundEntry);
      for (const entry of readable) roll.apply(entry, this.#clock.monotonicMs());
      for (const entry of readable) noteUnreadable(entry, unreadable);
    }
    return { roll, unreadable, isUnswept, isUncertain: isUnswept || swept.isUncertain };
  }

  /**
   * Sweeps before the roll is read. Any write gives an empty store its epoch, and a sweep is always allowed; a store
   * that was away marks all its instances as unconfirmed. If the store refuses writes and there is no picture yet,
   * returns the refusal: the store can still be read, which is better than no picture.
   */
  async #sweep(signal: AbortSignal): Promise<SweepOutcome | StoreRefusalError> {
    try {
      let swept: SweepOutcome;
      do swept = await this.#store.expire({ floor: this.#picture.revision });
      while (swept.more && !signal.aborted);
      return swept;
    } catch (error) {
      if (error instanceof StoreRefusalError && !this.#picture.isLoaded) return error;
      throw error;
    }
  }

  async #canSweep(): Promise<boolean> {
    try {
      await this.#store.expire({ floor: this.#picture.revision });
      return true;
    } catch (error) {
      if (error instanceof StoreRefusalError) return false;
      throw error;
    }
  }

  #noteUnreadable(entries: readonly LogEntry[]): void {
    const known = this.#picture.unreadable;
    if (known.size === 0 && entries.every(({ op }) => op !== 'spoilt')) return;
    const unreadable = new Map(known);
    for (const entry of entries) noteUnreadable(entry, unreadable);
    this.#setUnreadable(unreadable);
  }

  #setUnreadable(unreadable: Map<string, string>): void {
    if (isDeepStrictEqual(unreadable, this.#picture.unreadable)) return;
    this.#picture.unreadable = unreadable;
    this.#events.unreadable(unreadable);
  }

  #setReachable(isReachable: boolean, error?: Error): void {
    if (this.#isReachable === isReachable) return;
    this.#isReachable = isReachable;
    this.#events.reachable(isReachable, error);
  }
}

/** The store alone may be out of date, so every instance with a lease is unconfirmed until it renews. */
function doubted(snapshot: StoreSnapshot): StoreSnapshot {
  const instances = snapshot.instances.map((record) =>
    record.lease === '' || record.doubt !== undefined
      ? record
      : ({ ...record, doubt: 'unconfirmed', doubtUntilMs: 0 } as const),
  );
  return { ...snapshot, instances };
}

/** Updates a list of unreadable entries. */
function noteUnreadable(entry: LogEntry, unreadable: Map<string, string>): void {
  if (entry.op === 'spoilt') unreadable.set(entry.key, entry.fault);
  else if (entry.op === 'set') unreadable.delete(`instance/${instanceKeyOf(entry.record)}`);
  else if (entry.op === 'del') unreadable.delete(`instance/${entry.instanceKey}`);
  else if (entry.op !== 'bump') {
    unreadable.delete(entry.op === 'put' ? entry.resource.key : entry.key);
  }
}

function isChain(entries: readonly LogEntry[]): boolean {
  return entries.every((entry, i) => {
    const last = entries[i - 1];
    return last === undefined || (entry.prev === last.revision && entry.before === last.digest);
  });
}

/** Whether only registry servers are on it. */
function isEmptyRoll({ services }: Roll): boolean {
  return [...services.keys()].every((key) => key === OWN);
}
