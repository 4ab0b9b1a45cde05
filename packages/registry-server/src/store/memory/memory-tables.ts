import type { LogEntry } from '../log-entry.ts';
import { emptyState, type LogTable, type TableBackend, type Tables } from '../rules/tables.ts';
import { firstAfter } from '../log-search.ts';

class MemoryLog implements LogTable {
  readonly #entries: LogEntry[] = [];
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  /** Drops a tenth at once, since moving the rest costs the same for one entry as for many. */
  append(entry: LogEntry): void {
    const entries = this.#entries;
    entries.push(entry);
    if (entries.length > this.#length * 1.1) entries.splice(0, entries.length - this.#length);
  }

  after(revision: number): readonly LogEntry[] {
    return this.#entries.slice(firstAfter(this.#entries, revision));
  }

  firstAfter(revision: number): LogEntry | undefined {
    return this.#entries[firstAfter(this.#entries, revision)];
  }
}

/** The tables as Maps. `logLength`: entries that the log keeps, approximately. */
export function memoryBackend(epoch: string, logLength: number): TableBackend {
  const tables: Tables = {
    instances: new Map(),
    holders: new Map(),
    deadlines: new Map(),
    holds: new Map(),
    resources: new Map(),
    tombstones: new Map(),
    counts: new Map(),
    guards: new Map(),
    pools: { clusterIps: new Map(), nodePorts: new Map() },
    log: new MemoryLog(logLength),
    state: emptyState(epoch),
  };
  // The rules do not throw between two changes, so there is nothing to take back.
  const run = <T>(work: () => T): T => work();
  return { tables, writeTransaction: run, readTransaction: run, close() {} };
}
