import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports that this process has returned: the system may offer one again as soon as it is closed. */
const named = new Set<number>();

/**
 * A port of 127.0.0.1 that was free a moment ago, a different one each time. Prefer port 0 if
 * the program can report its port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await anyPort();
    if (named.has(port)) continue;
    named.add(port);
    return port;
  }
}

async function anyPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const NODE_PORTS = { first: 30_200, count: 2_500 };

/** A free node port. Chosen at random: registries of other tests all assign the first free port of the range. */
export async function freeNodePort(): Promise<number> {
  for (;;) {
    const port = NODE_PORTS.first + Math.floor(Math.random() * NODE_PORTS.count);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
