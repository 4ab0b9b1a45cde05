import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { type Config, ConfigError } from './config.ts';

/** An address for the roll when the server listens on all of them. */
export function advertisedAddress({ advertise, host }: Config): string {
  if (advertise !== undefined) return advertise;
  if (host !== '0.0.0.0' && host !== '::') return host;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

/** Listens; gives the port. Rejects with a {@link ConfigError} that names the option. */
export async function listen(app: FastifyInstance, { host, port }: Config): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new ConfigError(
        `--port ${port}: something else listens on ${host}:${port}; choose another one, or 0 for any`,
      );
    }
    if (code === 'EACCES')
      throw new ConfigError(`--port ${port}: not allowed to listen on ${host}:${port}`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new ConfigError(`--host ${host}: no address of this machine`);
    }
    throw error;
  }
  return (app.server.address() as AddressInfo).port;
}
