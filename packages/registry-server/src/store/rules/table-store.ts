import type { Clock } from '@rollcall/runtime';
import * as limits from '../limits.ts';
import type { LogPage, StoreHead } from '../log-entry.ts';
import type {
  ChangeOutcome,
  Continuity,
  GrantOutcome,
  GrantRequest,
  HoldOutcome,
  PutOutcome,
  PutRequest,
  RemoveOutcome,
  RemoveRequest,
  RenewOutcome,
  RestoreOutcome,
  RestoreRequest,
  RevokeRequest,
  SecondLook,
  Store,
  StoreSnapshot,
  SweepOutcome,
  UpdateRequest,
  Write,
} from '../store.ts';
import { remove, revoke, update } from './changes.ts';
import { grant } from './grant.ts';
import { hold, renew, suspect } from './leases.ts';
import { Partition } from './partition.ts';
import { put } from './put.ts';
import { continuityOf, headOf, pageAfter, snapshotOf } from './reads.ts';
import { restore } from './restore.ts';
import { sweep } from './sweep.ts';
import type { TableBackend } from './tables.ts';

export interface TableStoreOptions {
  readonly clock: Clock;
  /** How long the guard holds, in ms. @default 60,000 */
  readonly guardMs?: number | undefined;
  /**
   * Identifies the process that holds the data, such as the run id of a database server. After a change the data may be
   * older than what was read before. @default always the same
   */
  readonly runId?: () => string;
}

/** The rules of the roll, over tables that a backend keeps: each write is one of its transactions. */
export class TableStore implements Store {
  readonly #backend: TableBackend;
  readonly #partition: Partition;
  readonly #clock: Clock;
  readonly #guardMs: number;
  readonly #runId: () => string;
  readonly #wakers = new Set<() => void>();

  constructor(backend: TableBackend, options: TableStoreOptions) {
    this.#backend = backend;
    this.#partition = new Partition(backend.tables);
    this.#clock = options.clock;
    this.#guardMs = options.guardMs ?? limits.DEFAULT_GUARD_MS;
    this.#runId = options.runId ?? (() => '');
  }

  async grant(request: GrantRequest): Promise<GrantOutcome> {
    return this.#write((partition, nowMs) => grant(partition, request, nowMs));
  }

  async renew(leases: readonly string[], { floor }: Write): Promise<RenewOutcome> {
    return this.#write((partition, nowMs) => renew(partition, leases, { nowMs, floor }));
  }

  async hold(lease: string, { floor }: Write): Promise<HoldOutcome> {
    return this.#write((partition, nowMs) => hold(partition, lease, { nowMs, floor }));
  }

  async suspect(lease: string, holdNumber: number, write: Write & SecondLook): Promise<boolean> {
    return this.#write((partition, nowMs) =>
      suspect(partition, { lease, hold: holdNumber }, { ...write, nowMs }),
    );
  }

  async update(request: UpdateRequest): Promise<ChangeOutcome> {
    return this.#write((partition, nowMs) => update(partition, request, nowMs));
  }

  async revoke(request: RevokeRequest): Promise<ChangeOutcome> {
    return this.#write((partition, nowMs) => revoke(partition, request, nowMs));
  }

  async expire({ floor }: Write): Promise<SweepOutcome> {
    const by = { guardMs: this.#guardMs, runId: this.#runId() };
    return this.#write((partition, nowMs) => sweep(partition, { nowMs, floor }, by));
  }

  async put(request: PutRequest): Promise<PutOutcome> {
    return this.#write((partition, nowMs) => put(partition, request, nowMs));
  }

  async remove(request: RemoveRequest): Promise<RemoveOutcome> {
    return this.#write((partition, nowMs) => remove(partition, request, nowMs));
  }

  async restore(request: RestoreRequest): Promise<RestoreOutcome> {
    return this.#write((partition, nowMs) => {
      const taken = restore(partition, request, nowMs);
      return { taken, head: headOf(partition.state) };
    });
  }

  async follow(after: number, signal: AbortSignal): Promise<LogPage> {
    const { tables } = this.#backend;
    if (this.#readLast() === after) await this.#waitForEntry(after, signal);
    signal.throwIfAborted();
    return this.#backend.readTransaction(() => pageAfter(tables, after));
  }

  async continuity(position: StoreHead): Promise<Continuity> {
    const { tables } = this.#backend;
    return this.#backend.readTransaction(() => continuityOf(tables, position));
  }

  async snapshot(): Promise<StoreSnapshot> {
    const { tables } = this.#backend;
    return this.#backend.readTransaction(() => snapshotOf(tables, this.#clock.wallMs()));
  }

  async close(): Promise<void> {
    for (const wake of this.#wakers) wake();
    this.#backend.close();
  }

  #write<T>(work: (partition: Partition, nowMs: number) => T): T {
    let hasAppended = false;
    const outcome = this.#backend.writeTransaction(() => {
      const before = this.#partition.state.last;
      const result = work(this.#partition, this.#clock.wallMs());
      hasAppended = this.#partition.state.last !== before;
      return result;
    });
    if (hasAppended) for (const wake of this.#wakers) wake();
    return outcome;
  }

  #readLast(): number {
    return this.#backend.readTransaction(() => this.#partition.state.last);
  }

  /** Resolves at the next entry, when the wait is over, or when the signal aborts. */
  #waitForEntry(after: number, signal: AbortSignal): Promise<void> {
    const { pollMs } = this.#backend;
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakers.delete(wake);
        timer.cancel();
        poll?.cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const lookForOthers = () => {
        try {
          if (this.#readLast() !== after) wake();
        } catch {
          // The read after the wait says what is wrong.
          wake();
        }
      };
      const timer = this.#clock.after(limits.FOLLOW_WAIT_MS, wake);
      const poll = pollMs === undefined ? undefined : this.#clock.every(pollMs, lookForOthers);
      this.#wakers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
