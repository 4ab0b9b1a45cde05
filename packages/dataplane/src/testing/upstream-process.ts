/**
 * A small HTTP server for tests that kill it: prints its port, answers every request with its
 * process id after `?delay=` ms.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((incoming, response) => {
  const delay = Number(new URL(incoming.url!, 'http://x').searchParams.get('delay') ?? 0);
  incoming.resume();
  incoming.on('end', () => setTimeout(() => response.end(String(process.pid)), delay));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
