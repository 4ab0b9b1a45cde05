export { type Clock, type Random, systemClock, systemRandom } from '@rollcall/runtime';
export type { StoreContext, StoreDriver } from './store/driver.ts';
export { makeLeaseId, ttlOfLease } from './store/lease-id.ts';
export * as limits from './store/limits.ts';
export type { LogEntry, LogPage, StoreHead } from './store/log-entry.ts';
export { MemoryStore, type MemoryStoreOptions } from './store/memory/memory-store.ts';
export type {
  Claim,
  InstanceBody,
  InstanceRecord,
  PoolName,
  ResourceRecord,
} from './store/record.ts';
export { TableStore, type TableStoreOptions } from './store/rules/table-store.ts';
export {
  emptyState,
  type GuardWindow,
  type LogTable,
  type RollState,
  type Table,
  type TableBackend,
  type Tables,
} from './store/rules/tables.ts';
export * from './store/store.ts';
