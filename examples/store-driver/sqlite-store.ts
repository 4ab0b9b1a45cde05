// A store driver of one's own: the roll in an SQLite file. The leases survive a restart of the registry, and several
// registries of one machine may share the file. Start it with
//   rollcall-registry --store sqlite:/var/lib/roll.db --store-driver ./sqlite-store.ts
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from '@rollcall/registry-server';
import {
  emptyState,
  type RollState,
  type StoreDriver,
  StoreRefusalError,
  StoreUnavailableError,
  type TableBackend,
  type Tables,
  TableStore,
} from '@rollcall/registry-server/store';
import { SqliteLog, SqliteTable } from './sqlite-table.ts';

/** How long a transaction waits for that of another process, in ms. */
const LOCK_WAIT_MS = 1_000;
/** How often entries of other processes are looked for, in ms. */
const POLL_MS = 25;
/** Result codes of SQLite: the file can be read, but not written (READONLY), or there is no space (FULL). */
const REFUSALS: ReadonlySet<unknown> = new Set([8, 13]);

export interface SqliteOptions {
  readonly path: string;
  /** Makes the identity of a roll that is new. */
  readonly makeEpoch: () => string;
  /** Entries that the log keeps, approximately. */
  readonly logLength: number;
  /** First part of the names of the tables; several rolls may be in one file. @default rollcall */
  readonly prefix?: string;
}

/** The tables of the roll in a file. Every method of the store is one transaction. */
export class SqliteBackend implements TableBackend {
  readonly pollMs = POLL_MS;
  readonly tables: Tables;
  readonly #database: DatabaseSync;
  readonly #makeEpoch: () => string;
  readonly #kept: SqliteTable<'state', RollState>;
  #state = emptyState('');

  constructor({ path, makeEpoch, logLength, prefix = 'rollcall' }: SqliteOptions) {
    const database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    // With a write-ahead log readers do not wait for a writer.
    database.exec('PRAGMA journal_mode = WAL');
    this.#database = database;
    this.#makeEpoch = makeEpoch;
    this.#kept = new SqliteTable(database, `${prefix}_state`);
    const stateOf = () => this.#state;
    const table = <K extends string | number, V>(name: string) =>
      new SqliteTable<K, V>(database, `${prefix}_${name}`);
    this.tables = {
      instances: table('instances'),
      holders: table('holders'),
      deadlines: table('deadlines'),
      holds: table('holds'),
      resources: table('resources'),
      tombstones: table('tombstones'),
      counts: table('counts'),
      guards: table('guards'),
      pools: { clusterIps: table('cluster_ips'), nodePorts: table('node_ports') },
      log: new SqliteLog(database, `${prefix}_log`, logLength),
      get state() {
        return stateOf();
      },
    };
  }

  write<T>(work: () => T): T {
    // Takes the lock now: a read that becomes a write could find that another process wrote in between.
    return this.#transaction('BEGIN IMMEDIATE', () => {
      this.#state = this.#kept.get('state') ?? emptyState(this.#makeEpoch());
      const outcome = work();
      this.#kept.set('state', this.#state);
      return outcome;
    });
  }

  read<T>(work: () => T): T {
    return this.#transaction('BEGIN', () => {
      this.#state = this.#kept.get('state') ?? emptyState('');
      return work();
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #transaction<T>(begin: string, work: () => T): T {
    try {
      this.#database.exec(begin);
      const outcome = work();
      this.#database.exec('COMMIT');
      return outcome;
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw unavailable(error);
    }
  }
}

/** The registry goes on reading from memory after these errors; any other one is a defect, and stays what it is. */
function unavailable(error: unknown): unknown {
  const { code, errcode, message } = error as Error & { code?: string; errcode?: number };
  // Closed: ERR_INVALID_STATE.
  if (code !== 'ERR_SQLITE_ERROR' && code !== 'ERR_INVALID_STATE') return error;
  const Failure = REFUSALS.has(errcode) ? StoreRefusalError : StoreUnavailableError;
  return new Failure(message, { cause: error });
}

/** What `--store-driver` looks for. */
export const openStore: StoreDriver = (address, context) => {
  const { clock, random, guardMs, logLength, partition, prefix } = context;
  const path = address.slice(address.indexOf(':') + 1);
  const makeEpoch = () => random.hex(8);
  const names = `${prefix}_${partition}`;
  try {
    const backend = new SqliteBackend({ path, makeEpoch, logLength, prefix: names });
    return new TableStore(backend, { clock, guardMs });
  } catch (error) {
    throw new ConfigError(`--store ${path}: ${(error as Error).message}`, { cause: error });
  }
};
