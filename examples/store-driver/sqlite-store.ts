// A store driver of one's own: the roll in an SQLite file. The leases survive a restart of the registry, and several
// registries of one machine may share the file. Start it with
//   rollcall-registry --store sqlite:/var/lib/roll.db --store-driver ./sqlite-store.ts
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** How long a transaction waits for that of another process, in ms. The whole process waits, so it must be short. */
const LOCK_WAIT_MS = 50;
/** How long opening waits while other processes open the same new file, in ms. */
const OPEN_WAIT_MS = 5_000;
/** How often entries of other processes are looked for, in ms. */
const POLL_MS = 25;
/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const CODE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  notADatabase: 26,
};
/** The file can be read, but not written. */
const REFUSALS: ReadonlySet<number> = new Set([CODE.readOnly, CODE.full]);
/** The file cannot be used at the moment. Every other code is a defect, and must be logged as one. */
const AWAY: ReadonlySet<number> = new Set([
  CODE.busy,
  CODE.locked,
  CODE.ioError,
  CODE.cannotOpen,
  CODE.protocol,
]);

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

  /** Rejects with the error of SQLite. */
  static async open(options: SqliteOptions): Promise<SqliteBackend> {
    const database = new DatabaseSync(options.path, { timeout: LOCK_WAIT_MS });
    try {
      // With a write-ahead log readers do not wait for a writer. Another process may be switching to it now.
      await untilFree(() => database.exec('PRAGMA journal_mode = WAL'));
      return await untilFree(() => new SqliteBackend(database, options));
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private constructor(database: DatabaseSync, options: SqliteOptions) {
    const { makeEpoch, logLength, prefix = 'rollcall' } = options;
    this.#database = database;
    this.#makeEpoch = makeEpoch;
    const nameOf = (table: string) => `${caseless(prefix)}_${table}`;
    this.#kept = new SqliteTable(database, nameOf('state'));
    const stateOf = () => this.#state;
    const table = <K extends string | number, V>(name: string) =>
      new SqliteTable<K, V>(database, nameOf(name));
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
      log: new SqliteLog(database, nameOf('log'), logLength),
      get state() {
        return stateOf();
      },
    };
  }

  writeTransaction<T>(work: () => T): T {
    // Takes the lock now: a read that becomes a write could find that another process wrote in between.
    return this.#transaction('BEGIN IMMEDIATE', () => {
      this.#state = this.#kept.get('state') ?? emptyState(this.#makeEpoch());
      const outcome = work();
      this.#kept.set('state', this.#state);
      return outcome;
    });
  }

  readTransaction<T>(work: () => T): T {
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
      // The state is read anew in each transaction, so that nothing has to be taken back in it.
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw unavailable(error);
    }
  }
}

/** SQLite does not tell upper case from lower case in names; `+` occurs in no prefix. */
const caseless = (prefix: string): string =>
  prefix.replaceAll(/[A-Z]/g, (letter) => `+${letter.toLowerCase()}`);

/** The primary result code of an error of SQLite; undefined for other errors. Node.js gives the extended code. */
function codeOf(error: unknown): number | undefined {
  const { code, errcode } = error as { code?: string; errcode?: number };
  return code === 'ERR_SQLITE_ERROR' && errcode !== undefined ? errcode & 0xff : undefined;
}

/** The error as the registry expects it: it goes on reading from memory while the store is away or refuses. */
function unavailable(error: unknown): unknown {
  const code = codeOf(error);
  const isClosed = (error as { code?: string }).code === 'ERR_INVALID_STATE';
  const { message } = error as Error;
  if (code !== undefined && REFUSALS.has(code))
    return new StoreRefusalError(message, { cause: error });
  if (isClosed || (code !== undefined && AWAY.has(code))) {
    return new StoreUnavailableError(message, { cause: error });
  }
  return error;
}

/** Repeats a step of opening while another process has the lock. */
async function untilFree<T>(step: () => T): Promise<T> {
  const endMs = performance.now() + OPEN_WAIT_MS;
  for (;;) {
    try {
      return step();
    } catch (error) {
      if (codeOf(error) !== CODE.busy || performance.now() > endMs) throw error;
      await sleep(10);
    }
  }
}

/** What `--store-driver` looks for. */
export const openStore: StoreDriver = async (address, context) => {
  const { clock, random, guardMs, logLength, partition, prefix } = context;
  const [, path = ''] = /^sqlite:(.*)$/s.exec(address) ?? [];
  // SQLite would make a database that is gone with the process.
  if (path === '' || path === ':memory:') {
    throw new ConfigError('--store: expected sqlite:PATH with the path of a file');
  }
  const options = {
    path,
    makeEpoch: () => random.hex(8),
    logLength,
    prefix: `${prefix}_${partition}`,
  };
  try {
    return new TableStore(await SqliteBackend.open(options), { clock, guardMs });
  } catch (error) {
    const code = codeOf(error);
    const isTheirs =
      code === CODE.cannotOpen || code === CODE.notADatabase || code === CODE.readOnly;
    if (!isTheirs) throw unavailable(error);
    throw new ConfigError(`--store ${path}: ${(error as Error).message}`, { cause: error });
  }
};
