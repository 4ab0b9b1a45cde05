export { createTarget, TargetList } from './target-list.ts';
export { createService, listenTcp } from './tcp-bench.ts';
export { transportUnderTest } from './transport-under-test.ts';
export { RawClient } from './raw-client.ts';
