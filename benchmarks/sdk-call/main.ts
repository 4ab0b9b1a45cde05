// What does a call through the SDK cost, compared with three raw undici pools used in turn?
//
// Budget: at least 0.95 of the pools through `dispatch`, for the SDK through its interceptor and `dispatch`, P2C over
// three instances. `request` creates a promise and a stream for each response, in undici as in the SDK: it is compared
// with `request` of the pools, at least 0.9. Diagnostics that nobody has subscribed to: at least 0.98 of the same call
// without them. Backends are raw sockets that answer 1 KB.
import { join } from 'node:path';
import { runContest } from '../support/calls/contest.ts';

const pair = (ours: string, theirs: string, budget = 0.9) => ({ ours, theirs, budget });
const DISPATCH = 'SDK, interceptor, dispatch';

await runContest({
  ways: join(import.meta.dirname, 'ways.ts'),
  pairs: [
    pair(DISPATCH, 'pools, dispatch', 0.95),
    pair(DISPATCH, 'SDK, dispatch without diagnostics', 0.98),
    pair('SDK, service.request', 'pools, request'),
    pair('SDK, interceptor, request', 'pools, request'),
  ],
  backend: join(import.meta.dirname, '../support/calls/backend.ts'),
  portName: 'http',
  inFlight: 64,
  draws: 5,
  rounds: { rounds: 8, sampleMs: 500, warmUpMs: 4_000 },
  libraries: ['undici'],
});
