import type { Clock } from '@rollcall/runtime';
import { TableStore } from '../rules/table-store.ts';
import { memoryBackend } from './memory-tables.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Identity of this memory: must differ each time. */
  readonly epoch: string;
  /** Entries that the log keeps, approximately. */
  readonly logLength: number;
  /** How long the guard holds, in ms. */
  readonly guardMs?: number | undefined;
  /**
   * Id of the process that keeps it now: another process may have come back with older data. @default always the same
   */
  readonly runId?: () => string;
}

/** The roll in this process's memory: the default of an embedded server. It is lost with the process. */
export class MemoryStore extends TableStore {
  constructor({ epoch, logLength, ...options }: MemoryStoreOptions) {
    super(memoryBackend(epoch, logLength), options);
  }
}
