// What does a call through the SDK cost, compared with three raw undici pools used in turn?
//
// Budget: at least 0.9 times the calls per second of the pools through `dispatch`, for the SDK through its interceptor
// and `dispatch`, P2C over three instances. `request` creates a promise and a stream for each response, in undici as in
// the SDK: it is compared with `request` of the pools. Each way runs in its own process on core 0, in turn with the
// others; backends (raw sockets, 1 KB) and registry are on core 1.
import { join } from 'node:path';
import { runContest } from '../support/calls/contest.ts';

const pair = (ours: string, theirs: string) => ({ ours, theirs, budget: 0.9 });

await runContest({
  ways: join(import.meta.dirname, 'ways.ts'),
  pairs: [
    pair('SDK, interceptor, dispatch', 'pools, dispatch'),
    pair('SDK, service.request', 'pools, request'),
    pair('SDK, interceptor, request', 'pools, request'),
  ],
  backend: join(import.meta.dirname, '../support/calls/backend.ts'),
  portName: 'http',
  inFlight: 64,
  rounds: { rounds: 8, sampleMs: 1_000 },
  libraries: ['undici'],
});
