import type { LogEntry } from '../log-entry.ts';
import type { InstanceRecord, PoolName, ResourceRecord } from '../record.ts';
import type { Pool } from '../store.ts';

/**
 * One table of the roll. A Map is one. A value is never changed in place: `set` replaces it. Entries may be set and
 * deleted while the table is iterated; the iteration may show the changes or not, in any order. Keys are not empty and
 * have at most 500 bytes.
 */
export interface Table<K, V> {
  readonly size: number;
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): unknown;
  delete(key: K): unknown;
  clear(): void;
  keys(): Iterable<K>;
  values(): Iterable<V>;
  [Symbol.iterator](): Iterator<[K, V]>;
}

/** The log, in the order of its revisions. */
export interface LogTable {
  /** Adds the newest entry. May drop the oldest ones, if more are kept than the log's length. */
  append(entry: LogEntry): void;
  /** All entries after a revision. */
  after(revision: number): readonly LogEntry[];
  /** The first entry after a revision; that after 0 is the oldest one. */
  firstAfter(revision: number): LogEntry | undefined;
}

/** The window in which the silent losses of a service are counted. */
export interface GuardWindow {
  readonly beganMs: number;
  readonly size: number;
  readonly lost: number;
  readonly untilMs: number;
}

interface Tombstone {
  /** Revision of the deletion, or the instance that a lease was for. */
  readonly value: number | string;
  readonly untilMs: number;
}

/** The single values of a roll. The rules change its fields in place. */
export interface RollState {
  /** Identity of the data: made when the roll is empty, another one after the data was lost. */
  epoch: string;
  /** Last revision; 0 = none yet. */
  last: number;
  /** Digest of everything up to the last revision. */
  digest: string;
  longestTtlMs: number;
  lastSweepMs: number | undefined;
  grace: { readonly startMs: number; readonly untilMs: number; readonly lastGapMs: number };
  /** The process that swept last. */
  runId: string | undefined;
  /** When the store was last found to have been away for too long, or to run as another process. */
  doubtedAtMs: number | undefined;
  /** The range that each pool last gave numbers from. */
  ranges: Partial<Record<PoolName, Pool>>;
  /** Pools that gave numbers from more than one range. */
  mixed: PoolName[];
  /** Where the next search for a free number starts. */
  cursors: Partial<Record<PoolName, number>>;
}

/** The state of a roll that has no entry yet. */
export function emptyState(epoch: string): RollState {
  return {
    epoch,
    last: 0,
    digest: '',
    longestTtlMs: 0,
    lastSweepMs: undefined,
    grace: { startMs: 0, untilMs: 0, lastGapMs: 0 },
    runId: undefined,
    doubtedAtMs: undefined,
    ranges: {},
    mixed: [],
    cursors: {},
  };
}

/**
 * Everything that a roll consists of. Every value can be carried by JSON: a field that is undefined may be missing when
 * it is read, but never null.
 */
export interface Tables {
  /** Instance key -> record. */
  readonly instances: Table<string, InstanceRecord>;
  /** Lease -> the instance key that it is for. */
  readonly holders: Table<string, string>;
  /** Lease -> Unix ms at which it ends. */
  readonly deadlines: Table<string, number>;
  /** Lease -> number of its hold. */
  readonly holds: Table<string, number>;
  /** Key -> resource. */
  readonly resources: Table<string, ResourceRecord>;
  /** What left, by kind and name. */
  readonly tombstones: Table<string, Tombstone>;
  /** Service key -> how many instances it has. */
  readonly counts: Table<string, number>;
  /** Service key -> its window. */
  readonly guards: Table<string, GuardWindow>;
  /** Number -> key of the resource that owns it. */
  readonly pools: Readonly<Record<PoolName, Table<number, string>>>;
  readonly log: LogTable;
  /** A getter, if the values are read anew in each transaction. Used only within one. */
  readonly state: RollState;
}

/**
 * Where a {@link TableStore} keeps its tables. Everything is synchronous, as in memory, SQLite or LMDB; a database that
 * answers later needs a driver that implements `Store` itself.
 */
export interface TableBackend {
  /** Always the same object; used only within a transaction. */
  readonly tables: Tables;
  /**
   * Runs `work` as one transaction: all its changes are kept when this returns, and none if `work` throws, `state`
   * included. Where there is no state yet, it creates one with a new epoch ({@link emptyState}).
   */
  writeTransaction<T>(work: () => T): T;
  /** Runs a read that sees one state of the data. Where there is no state yet, the epoch is empty. */
  readTransaction<T>(work: () => T): T;
  /** How often to look for entries that other processes appended, in ms. @default never: there are no others */
  readonly pollMs?: number;
  /** May be called twice. */
  close(): void;
}
