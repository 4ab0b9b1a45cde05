import { once } from 'node:events';
import type { Server } from 'node:net';
import type { ListenAddress } from './transport.ts';

/** How many connections may wait to be accepted. */
const BACKLOG = 4_096;

/** Resolves when the server listens. Rejects with the system's error. */
export async function startListening(
  server: Server,
  { host, port, fd, socket }: ListenAddress,
): Promise<void> {
  if (socket !== undefined) server.listen(socket, BACKLOG);
  else if (fd === undefined) server.listen({ host, port, backlog: BACKLOG });
  // Its backlog is that of whoever opened it.
  else server.listen({ fd });
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') {
    server.close();
    throw new Error('expected a TCP socket');
  }
  server.on('error', () => {});
}
