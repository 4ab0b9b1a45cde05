// What does each way of calling cost through the SDK, compared with the same library on fixed addresses used in turn?
//
// Budget: at least 0.9 by processor time for fetch, node:http, axios, got and gRPC; responses have 1 KB. What undici
// itself costs is measured by sdk-call. The warm-up is long because a call of fetch, ours or theirs, takes 120 µs after
// two seconds of calls and 80 µs after six.
import { join } from 'node:path';
import { runContest } from '../support/calls/contest.ts';

const here = import.meta.dirname;
const pair = (name: string) => ({ ours: `SDK, ${name}`, theirs: name, budget: 0.9 });
const shared = {
  ways: join(here, 'ways.ts'),
  inFlight: 64,
  draws: 5,
  rounds: { rounds: 8, sampleMs: 500, warmUpMs: 8_000 },
};

await runContest({
  ...shared,
  pairs: ['fetch', 'node:http', 'axios', 'got'].map(pair),
  backend: join(here, '../support/calls/backend.ts'),
  portName: 'http',
  libraries: ['axios', 'got'],
});
await runContest({
  ...shared,
  pairs: [pair('gRPC')],
  backend: join(here, 'grpc-backend.ts'),
  portName: 'grpc',
  libraries: ['@grpc/grpc-js'],
});
