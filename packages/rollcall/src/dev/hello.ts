// A small service: answers every request with its name, and keeps itself on the roll.
//
//     ROLLCALL_URL=http://127.0.0.1:7400 rollcall dev hello
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { RegistrationClient } from '@rollcall/client-sdk/registration';

const { env } = process;
const id = env['HELLO_ID'] ?? `hello-${process.pid}`;
let underWay = 0;
const isBusy = () => underWay > 0;

const server = createServer((request, response) => {
  underWay++;
  response.once('close', () => underWay--);
  request.resume();
  if (request.url === '/health') response.end('well\n');
  else response.setHeader('content-type', 'text/plain').end(`hello from ${id}\n`);
});
await once(
  server.listen(Number(env['HELLO_PORT'] ?? 0), env['HELLO_HOST'] ?? '127.0.0.1'),
  'listening',
);
const { port } = server.address() as AddressInfo;

const rollcall = new RegistrationClient({
  url: (env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400').split(','),
  ...(env['ROLLCALL_TOKEN'] === undefined ? {} : { token: env['ROLLCALL_TOKEN'] }),
});
const registration = await rollcall.register({
  service: 'hello',
  id,
  port,
  ...(env['HELLO_ADDRESS'] === undefined ? {} : { address: env['HELLO_ADDRESS'] }),
});
registration.on('superseded', (error) => {
  console.error(`${id}: ${error.message}`);
  process.exit(1);
});
console.log(`${id} is on the roll, on port ${port}`);

let leaving: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    leaving ??= leave();
  });
}

/** Leaves gracefully: takes no new calls, answers those in progress, then leaves the roll. */
async function leave(): Promise<void> {
  const whenIdle = async () => {
    while (isBusy()) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await registration.drain({ settleMs: 200, whenIdle, idleTimeoutMs: 5_000 }).catch(() => {});
  await rollcall.close();
  server.close();
  server.closeAllConnections();
}
