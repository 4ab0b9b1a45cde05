import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { bindFailure } from '@rollcall/daemon';
import { type Clock, descriptorShare, systemDescriptors } from '@rollcall/runtime';
import type { Config } from './config.ts';

/** The address to register. If the server listens on all addresses, an external one of this machine. */
export function advertisedAddress({ advertise, host }: Config): string {
  if (advertise !== undefined) return advertise;
  if (host !== '0.0.0.0' && host !== '::') return host;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

/** At most one log line about refused connections in this time, in ms. */
const EVERY_MS = 10_000;

/**
 * Limits connections, so that file descriptors are left for the store, the checks and the log. If callers used the last
 * one, the server could not reconnect to a lost store and could serve no caller.
 */
export function limitConnections(app: FastifyInstance, clock: Clock): void {
  const descriptors = systemDescriptors();
  const most = descriptorShare(descriptors, 1);
  if (!Number.isFinite(most)) return;
  app.server.maxConnections = most;
  let quietUntilMs = 0;
  app.server.on('drop', () => {
    if (clock.monotonicMs() < quietUntilMs) return;
    quietUntilMs = clock.monotonicMs() + EVERY_MS;
    app.log.warn({ connections: most, descriptors }, 'connections are refused: raise ulimit -n');
  });
}

/** Listens; resolves with the port. Rejects with a `StartError` that names the options. */
export async function listen(app: FastifyInstance, { host, port }: Config): Promise<number> {
  await app.listen({ host, port }).catch((error: unknown) => {
    throw bindFailure({ host, port }, '--host or --port (0: any free one)', error);
  });
  return (app.server.address() as AddressInfo).port;
}
