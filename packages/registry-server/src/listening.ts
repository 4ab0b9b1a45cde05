import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { bindFailure } from '@rollcall/daemon';
import type { Config } from './config.ts';

/** An address for the roll when the server listens on all of them. */
export function advertisedAddress({ advertise, host }: Config): string {
  if (advertise !== undefined) return advertise;
  if (host !== '0.0.0.0' && host !== '::') return host;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

/** Listens; gives the port. Rejects with a `StartError` that names the options. */
export async function listen(app: FastifyInstance, { host, port }: Config): Promise<number> {
  await app.listen({ host, port }).catch((error: unknown) => {
    throw bindFailure({ host, port }, '--host or --port (0: any free one)', error);
  });
  return (app.server.address() as AddressInfo).port;
}
