import { isDeepStrictEqual } from 'node:util';
import type { Supervisor } from '@rollcall/daemon';
import { type Clock, pause } from '../runtime/clock.ts';
import type { LogEntry } from '../store/log-entry.ts';
import { fieldOf } from '../store/record.ts';
import { type Store, StoreUnavailableError } from '../store/store.ts';
import type { Picture, ServiceChange } from './picture.ts';
import { Roll } from './roll.ts';
import { soundEntry, soundSnapshot, type Unreadable } from './soundness.ts';
import { SELF } from './caller.ts';

const RETRY_MS = 200;
/** The pause after faults of the server's own, which grows: reading the whole roll anew costs the store something. In ms. */
const LONGEST_RETRY_MS = 5_000;

/** Who wants to know what the follower sees. Called in the order of the log, never concurrently. */
export interface FollowerEvents {
  /** Entries were applied; `changes` is what looks different for it. */
  applied(entries: readonly LogEntry[], changes: readonly ServiceChange[]): void;
  /**
   * The roll was read anew: whoever waits for every change in between has missed some. `hasForgotten` tells that the
   * store lost what only it knew, such as the numbers of holds.
   */
  relisted(changes: readonly ServiceChange[], hasForgotten: boolean): void;
  /** The roll was read for the first time; it may have been empty. */
  loaded(isEmpty: boolean): void;
  /** The store went away or came back; the picture stands meanwhile. */
  reachable(isReachable: boolean, error: Error | undefined): void;
  /** What the store holds and nobody can read, and so is left out, is something else than before. */
  unreadable(records: Unreadable): void;
  /** The store had lost its memory and took so many things from this server's picture. */
  restored(taken: number): void;
}

export interface FollowerParts {
  readonly store: Store;
  readonly picture: Picture;
  readonly clock: Clock;
  readonly supervisor: Supervisor;
}

/**
 * Keeps the picture in step with the store's log. Each entry names the one before it: where the chain breaks, the
 * roll is read anew, and if it broke because the store lost writes, this server's picture is offered to it first.
 */
export class Follower {
  readonly #store: Store;
  readonly #picture: Picture;
  readonly #clock: Clock;
  readonly #events: FollowerEvents;
  readonly #supervisor: Supervisor;
  #isReachable: boolean | undefined;

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

  /** Follows until the signal says so; does not reject. */
  async run(signal: AbortSignal): Promise<void> {
    let faults = 0;
    while (!signal.aborted) {
      let error: unknown;
      try {
        if (!this.#picture.isLoaded || faults > 0) await this.#relist(signal);
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
        // An entry that cannot be read, or a fault of this server's: what the log says is in the roll, so that is read anew.
        this.#supervisor.note('follower', error);
        faults++;
      }
      const pauseMs = Math.min(RETRY_MS * 2 ** Math.max(0, faults - 1), LONGEST_RETRY_MS);
      await pause(this.#clock, pauseMs, signal).catch(() => {});
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { revision, epoch, mark } = this.#picture;
    const page = await this.#store.follow(revision, signal);
    const first = page.entries[0];
    if (first !== undefined) {
      if (first.prev !== revision || first.before !== mark || !isChain(page.entries)) {
        return this.#mend(signal);
      }
      const entries = page.entries.map(soundEntry);
      this.#events.applied(entries, this.#picture.apply(entries));
      this.#noteUnreadable(entries);
      this.#picture.prove();
      return undefined;
    }
    const { head } = page;
    if (head?.epoch !== epoch || head.revision < revision) return this.#mend(signal);
    if (head.revision !== revision) return undefined;
    if (head.mark !== mark) return this.#mend(signal);
    this.#picture.prove();
    return undefined;
  }

  /** The chain is broken: find out whether the store forgot, tell it what it forgot, and read it anew. */
  async #mend(signal: AbortSignal): Promise<void> {
    const { revision, epoch, mark, roll } = this.#picture;
    const continuity = await this.#store.continuity({ revision, epoch, mark });
    if (continuity === 'lost' && roll !== undefined) {
      const offer = roll.offer(this.#clock.monotonicMs());
      const { taken } = await this.#store.restore({ ...offer, floor: revision });
      this.#events.restored(taken);
    }
    await this.#relist(signal, continuity === 'lost');
  }

  async #relist(signal: AbortSignal, hasForgotten = false): Promise<void> {
    // Any write gives an empty store its epoch; a sweep is the one that is always due.
    await this.#store.expire({ floor: this.#picture.revision });
    const snapshot = await this.#store.snapshot();
    const { sound, unreadable } = soundSnapshot(snapshot);
    const roll = new Roll(sound, this.#clock.monotonicMs());
    while (roll.revision < snapshot.upTo) {
      const { entries } = await this.#store.follow(roll.revision, signal);
      const [first] = entries;
      const isNext = first?.prev === roll.revision && first.before === roll.mark;
      const isWhole = isNext && isChain(entries);
      if (!isWhole)
        throw new StoreUnavailableError('the log moved on while the roll was being read');
      const readable = entries.map(soundEntry);
      for (const entry of readable) roll.apply(entry, this.#clock.monotonicMs());
      for (const entry of readable) noteUnreadable(entry, unreadable);
    }
    const isFirst = !this.#picture.isLoaded;
    this.#setReachable(true);
    this.#setUnreadable(unreadable);
    this.#events.relisted(this.#picture.replace(roll), hasForgotten);
    this.#picture.prove();
    if (isFirst) this.#events.loaded(isEmptyRoll(roll));
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

/** Brings a list of what cannot be read up to date. */
function noteUnreadable(entry: LogEntry, unreadable: Map<string, string>): void {
  if (entry.op === 'spoilt') unreadable.set(entry.key, entry.fault);
  else if (entry.op === 'set') unreadable.delete(`instance/${fieldOf(entry.record)}`);
  else if (entry.op === 'del') unreadable.delete(`instance/${entry.field}`);
  else if (entry.op !== 'lift') {
    unreadable.delete(entry.op === 'put' ? entry.resource.key : entry.key);
  }
}

function isChain(entries: readonly LogEntry[]): boolean {
  return entries.every((entry, i) => {
    const last = entries[i - 1];
    return last === undefined || (entry.prev === last.revision && entry.before === last.mark);
  });
}

/** Whether nobody but registry servers is on it. */
function isEmptyRoll({ services }: Roll): boolean {
  return [...services.keys()].every((key) => key === `${SELF.namespace}/${SELF.service}`);
}
