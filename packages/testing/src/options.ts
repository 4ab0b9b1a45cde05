import { NamespaceName, parseOptions } from '@rollcall/contract';
import { z } from 'zod';
import { invalidOption } from './base/invalid-option.ts';
import {
  type ServerLogger,
  type ServerOptions,
  ServerOptionsCheck,
} from './server/server-options.ts';

export interface TestRegistryOptions {
  /**
   * `real`: the registry lives in real time. `manual`: its time stands still until the test turns it, and so do the
   * timers of every client that is given its `runtime`. @default 'real'
   */
  readonly clock?: 'real' | 'manual';
  /** Namespace of instances, clients and reads that do not name one. @default 'default' */
  readonly namespace?: string;
  /**
   * Tokens with their scopes, as `--token` takes them, e.g. `0123456789abcdef=read:*`. With any, a call without a valid
   * token is refused; the instances of this package have one of their own. @default none: nobody needs a token
   */
  readonly tokens?: readonly string[];
  /** Gets the server's log. @default none */
  readonly logger?: ServerLogger;
  /** More options of the server. @default those of a server without warm-up and without limits per second */
  readonly server?: ServerOptions;
}

const Options = z.strictObject({
  clock: z.enum(['real', 'manual']).default('real'),
  namespace: NamespaceName.default('default'),
  tokens: z.array(z.string()).default([]),
  logger: z.custom<ServerLogger>(isObject, { error: 'expected a pino logger' }).optional(),
  server: ServerOptionsCheck.optional(),
});

function isObject(given: unknown): boolean {
  return typeof given === 'object' && given !== null;
}

/** The options with every default. */
export interface ReadOptions {
  readonly clock: 'real' | 'manual';
  readonly namespace: string;
  readonly tokens: readonly string[];
  readonly logger: ServerLogger | undefined;
  readonly server: ServerOptions;
}

/** Throws a RollcallError that names the option, its value and what was expected. */
export function readOptions(given: TestRegistryOptions): ReadOptions {
  const { clock, namespace, tokens, logger } = parseOptions(Options, given, invalidOption);
  // As they were given: what was left out must not become the default of a server in production.
  return { clock, namespace, tokens, logger, server: given.server ?? {} };
}
