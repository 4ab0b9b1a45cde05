export { ManualClock } from './manual-clock.ts';
export { storeConformance } from './store-conformance.ts';
export {
  type CreateHarness,
  type HarnessOptions,
  memoryHarness,
  redisHarness,
  type StoreHarness,
} from './store-harness.ts';
export { startTestServer, type StreamEvent, StreamReader } from './test-server.ts';
