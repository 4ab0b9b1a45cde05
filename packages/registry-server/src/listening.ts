import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { bindFailure } from '@rollcall/daemon';
import { type Clock, descriptorShare, systemDescriptors } from '@rollcall/runtime';
import type { Config } from './config.ts';

/** An address for the roll when the server listens on all of them. */
export function advertisedAddress({ advertise, host }: Config): string {
  if (advertise !== undefined) return advertise;
  if (host !== '0.0.0.0' && host !== '::') return host;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

/** One line about connections that were turned away in so many ms. */
const EVERY_MS = 10_000;

/**
 * Takes no more connections than leave file descriptors for the store, the checks and the log: with the last of them
 * gone to callers, a store that was lost could not be reached again, and nobody would be served.
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
    app.log.warn(
      { connections: most, descriptors },
      'connections are turned away: raise ulimit -n',
    );
  });
}

/** Listens; gives the port. Rejects with a `StartError` that names the options. */
export async function listen(app: FastifyInstance, { host, port }: Config): Promise<number> {
  await app.listen({ host, port }).catch((error: unknown) => {
    throw bindFailure({ host, port }, '--host or --port (0: any free one)', error);
  });
  return (app.server.address() as AddressInfo).port;
}
