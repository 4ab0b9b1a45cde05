/** An instance of the service `hello`: registers with the registry in REGISTRY_URL, answers with its process id. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Rollcall } from '@rollcall/client-sdk';

const server = createServer((incoming, response) => {
  const delay = Number(new URL(incoming.url!, 'http://x').searchParams.get('delay') ?? 0);
  incoming.resume();
  incoming.on('end', () => setTimeout(() => response.end(`pid=${process.pid};`), delay));
});
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});
const { port } = server.address() as AddressInfo;
const rollcall = new Rollcall({ url: process.env['REGISTRY_URL']! });
await rollcall.register({ service: 'hello', port, address: '127.0.0.1', ttlMs: 2_000 });
process.stdout.write('registered\n');
