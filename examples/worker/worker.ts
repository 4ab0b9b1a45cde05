// A worker that takes jobs from a queue. Nobody calls it, so it has no port; on the roll with a port for its health, one sees
// where it runs and whether it works, and it finishes its job before it leaves.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RegistrationClient, serveInstance } from '@rollcall/client-sdk/registration';
import { Worker } from './queue.ts';

const { env } = process;
let done = 0;
const worker = new Worker(async ({ id }) => {
  console.log(`job ${id} begins`);
  await sleep(300);
  done++;
  console.log(`job ${id} is done`);
});

const health = createServer((_request, response) => {
  const isRunning = worker.isRunning();
  response.writeHead(isRunning ? 200 : 503, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ isRunning, done, from: process.pid }));
}).listen(Number(env['PORT'] ?? 0), env['HOST'] ?? '127.0.0.1');

// It calls no services: the part of the client that registers is enough.
const client = new RegistrationClient({ url: env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400' });
const instance = await serveInstance(client, health, {
  service: 'mailer',
  labels: { queue: 'mail' },
  readiness: () => worker.isRunning(),
  drain: {
    // Nobody but the queue gives it work.
    settleMs: 0,
    closeStreams: () => worker.close(),
    graceMs: 30_000,
  },
});
console.log(`mailer at port ${(health.address() as AddressInfo).port}`);

await instance.drained; // after SIGTERM or SIGINT
await client.close();
console.log(`closed, ${done} done`);
