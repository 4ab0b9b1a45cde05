import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LogEntry, LogTable, Table } from '@rollcall/registry-server/store';

/** One table with a key and a value, which is JSON. */
export class SqliteTable<K extends string | number, V> implements Table<K, V> {
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #delete: StatementSync;
  readonly #clear: StatementSync;
  readonly #count: StatementSync;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync, name: string) {
    const table = `"${name}"`;
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (key ANY NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`,
    );
    this.#get = database.prepare(`SELECT value FROM ${table} WHERE key = ?`);
    this.#set = database.prepare(`INSERT OR REPLACE INTO ${table} (key, value) VALUES (?, ?)`);
    this.#delete = database.prepare(`DELETE FROM ${table} WHERE key = ?`);
    this.#clear = database.prepare(`DELETE FROM ${table}`);
    this.#count = database.prepare(`SELECT count(*) AS count FROM ${table}`);
    this.#all = database.prepare(`SELECT key, value FROM ${table}`);
  }

  get size(): number {
    return (this.#count.get() as { count: number }).count;
  }

  get(key: K): V | undefined {
    const row = this.#get.get(key) as { value: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.value) as V);
  }

  has(key: K): boolean {
    return this.#get.get(key) !== undefined;
  }

  set(key: K, value: V): void {
    this.#set.run(key, JSON.stringify(value));
  }

  delete(key: K): void {
    this.#delete.run(key);
  }

  clear(): void {
    this.#clear.run();
  }

  /** Reads all rows first, so that the table may be changed while this is iterated. */
  *[Symbol.iterator](): Generator<[K, V]> {
    const rows = this.#all.all() as { key: K; value: string }[];
    for (const { key, value } of rows) yield [key, JSON.parse(value) as V];
  }

  *keys(): Generator<K> {
    for (const { key } of this.#all.all() as { key: K }[]) yield key;
  }

  *values(): Generator<V> {
    for (const [, value] of this) yield value;
  }
}

/** The log, by revision. */
export class SqliteLog implements LogTable {
  readonly #length: number;
  readonly #append: StatementSync;
  readonly #trim: StatementSync;
  readonly #after: StatementSync;
  readonly #next: StatementSync;
  #untilTrim = 0;

  constructor(database: DatabaseSync, name: string, length: number) {
    const table = `"${name}"`;
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (revision INTEGER PRIMARY KEY, entry TEXT NOT NULL) STRICT`,
    );
    this.#length = length;
    this.#append = database.prepare(`INSERT INTO ${table} (revision, entry) VALUES (?, ?)`);
    this.#trim = database.prepare(
      `DELETE FROM ${table} WHERE revision <= (SELECT revision FROM ${table} ORDER BY revision DESC LIMIT 1 OFFSET ?)`,
    );
    const select = `SELECT entry FROM ${table} WHERE revision > ? ORDER BY revision`;
    this.#after = database.prepare(select);
    this.#next = database.prepare(`${select} LIMIT 1`);
  }

  append(entry: LogEntry): void {
    this.#append.run(entry.revision, JSON.stringify(entry));
    if (this.#untilTrim-- > 0) return;
    this.#trim.run(this.#length);
    this.#untilTrim = Math.ceil(this.#length / 10);
  }

  after(revision: number): readonly LogEntry[] {
    return (this.#after.all(revision) as { entry: string }[]).map(entryOf);
  }

  firstAfter(revision: number): LogEntry | undefined {
    const row = this.#next.get(revision) as { entry: string } | undefined;
    return row === undefined ? undefined : entryOf(row);
  }
}

const entryOf = ({ entry }: { entry: string }) => JSON.parse(entry) as LogEntry;
