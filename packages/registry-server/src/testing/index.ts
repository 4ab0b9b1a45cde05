export type { Core } from '../core.ts';
export type { Clock, Timer } from '@rollcall/runtime';
export type { Random } from '@rollcall/runtime';
export { MemoryStore } from '../store/memory/memory-store.ts';
export { type Store, StoreRefusalError, StoreUnavailableError } from '../store/store.ts';
export type { LogEntry } from '../store/log-entry.ts';
export type { EventStream, StreamEnd } from '../watch/stream.ts';
export { type BareCall, type BareReply, BareServer } from './bare-server.ts';
export { ManualClock } from '@rollcall/runtime/testing';
export { storeConformance } from './store-conformance.ts';
export {
  type CreateHarness,
  type HarnessOptions,
  memoryHarness,
  redisHarness,
  SteeredRedis,
  type StoreHarness,
} from './store-harness.ts';
export { startTestServer, type StreamEvent, StreamReader } from './test-server.ts';
