import { OPTIONS, type RegistryOptions, type Runtime } from '@rollcall/registry-server';
import { z } from 'zod';

/** A pino logger, or one that Fastify takes. */
export type ServerLogger = NonNullable<Runtime['logger']>;

/** What a test registry decides itself, or what makes no sense in a test. */
const OWN = [
  'host',
  'port',
  'store',
  'storeDriver',
  'token',
  'tokenFile',
  'insecure',
  'tlsCert',
  'tlsKey',
  'tlsClientCa',
  'logLevel',
  'shutdownMs',
] as const;
const isOwn = (name: string) => OWN.some((one) => one === name);

/** Options of the registry server, named as in docs/options.md but in camelCase: `guardMs`, `warmUpMs` ... */
export type ServerOptions = Omit<RegistryOptions, (typeof OWN)[number]>;

/** Checks them as the server checks its command line. */
export const ServerOptionsCheck = z.strictObject(
  Object.fromEntries(
    Object.entries(OPTIONS)
      .filter(([name]) => !isOwn(name))
      .map(([name, { schema }]) => [name, schema.optional()]),
  ),
);
