import { once } from 'node:events';
import type { Server } from 'node:http';
import { pause, systemClock } from '@rollcall/runtime';

/** For how long, and after which pauses, a port is tried again, in ms. */
const PATIENCE_MS = 2_000;
const PAUSE_MS = 50;

/**
 * Listens on loopback; resolves with the port. `wasOurs`: the port was given up a while ago. Meanwhile it may have gone
 * to an outgoing connection of another program, and those are short.
 */
export async function listenOnLoopback(
  server: Server,
  port: number,
  wasOurs: boolean,
): Promise<number> {
  const endMs = systemClock.monotonicMs() + (wasOurs ? PATIENCE_MS : 0);
  for (;;) {
    server.listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
      break;
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isTaken || systemClock.monotonicMs() >= endMs) throw error;
      await pause(systemClock, PAUSE_MS);
    }
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** As the end of a process: refuses connections from now on, and cuts the open ones. Safe to call twice. */
export async function endAtOnce(server: Server): Promise<void> {
  const closed = server.listening ? once(server, 'close') : undefined;
  server.close();
  server.closeAllConnections();
  await closed;
}
