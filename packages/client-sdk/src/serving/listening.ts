import { once } from 'node:events';
import { RollcallError } from '../base/error.ts';
import type { HttpServer } from './http-ending.ts';

/**
 * Resolves with the port when the server listens. Rejects with its error when it cannot, and with the signal's reason.
 */
export async function portOf(server: HttpServer, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  if (!server.listening) await once(server, 'listening', { signal });
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address.port;
  throw new RollcallError(
    'invalid_options',
    `option server: expected a server that listens at a port, got ${address ?? 'one that does not listen any more'}`,
    { field: 'server' },
  );
}
