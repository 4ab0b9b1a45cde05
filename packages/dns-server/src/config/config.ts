import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { OPTIONS, type OptionSpec } from './options.ts';

type Specs = typeof OPTIONS;
type Key = keyof Specs;

/** The server's configuration, checked and with every default. */
export type Config = { readonly [K in Key]: z.output<Specs[K]['schema']> };

/** A wrong option: its message names the flag or variable, the value and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads flags over environment over defaults. Throws a {@link ConfigError} that names every wrong option. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Config {
  const flags = readFlags(argv);
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [key, option] of Object.entries<OptionSpec>(OPTIONS)) {
    const fromFlag = flags[option.flag];
    const fromEnv = env[option.env] === '' ? undefined : env[option.env];
    const split = option.isList === true ? fromEnv?.split(/[,\s]+/).filter(Boolean) : fromEnv;
    const given = typeof fromFlag === 'boolean' ? String(fromFlag) : (fromFlag ?? split);
    const result = option.schema.safeParse(given);
    if (result.success) config[key] = result.data;
    else {
      const source =
        fromFlag === undefined && given !== undefined ? option.env : `--${option.flag}`;
      problems.push(`${source}: ${describe(result.error, given, option)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return checked(config as unknown as Config);
}

/** What is wrong, with the one value of a list that it is about. */
function describe(error: z.ZodError, given: unknown, { isSecret }: OptionSpec): string {
  const { message, path } = error.issues[0]!;
  if (given === undefined) return message;
  const value: unknown = Array.isArray(given) ? (given[Number(path[0] ?? 0)] ?? given) : given;
  return `${message}, got ${isSecret === true ? '(not shown)' : JSON.stringify(value)}`;
}

function readFlags(
  argv: readonly string[],
): Record<string, string | boolean | (string | boolean)[] | undefined> {
  const options = Object.fromEntries(
    Object.values<OptionSpec>(OPTIONS).map(({ flag, value, isList }) => [
      flag,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: isList === true,
      },
    ]),
  );
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowNegative: true }).values;
  } catch (error) {
    throw new ConfigError(
      `${(error as Error).message.replace(/\.? To specify.*$/s, '')} (--help lists the options)`,
    );
  }
}

/** What no option can tell alone. */
function checked(config: Config): Config {
  const { forward, host, port } = config;
  const own = forward.find((upstream) => upstream.port === port && host.includes(upstream.host));
  if (own !== undefined) {
    throw new ConfigError(
      `--forward ${own.host}:${own.port}: expected another server, this is where this one listens`,
    );
  }
  return Object.freeze(config);
}

/** The text of `--help`. */
export function helpText(): string {
  const rows = Object.values<OptionSpec>(OPTIONS).map((option) => {
    const { flag, value, env, help, schema } = option;
    const given = schema.safeParse(undefined).data;
    const isPlain = typeof given === 'string' || typeof given === 'number';
    const fallback = option.fallback ?? (isPlain ? String(given) : undefined);
    const shown = fallback === undefined ? '' : ` [default: ${fallback}]`;
    return `  --${flag}${value === undefined ? '' : ` ${value}`}\n      ${help}${shown} (${env})`;
  });
  return `${HEAD}\nOptions (environment variable in brackets; a flag wins):\n${rows.join('\n')}\n  --help\n      Print this.\n`;
}

const HEAD = `rollcall-dns: DNS names for the services of a Rollcall registry

  rollcall-dns --registry URL [options]   start, until SIGTERM or SIGINT
  rollcall-dns --help

Try:

  rollcall-dns --registry http://127.0.0.1:7400 --port 8053
  dig @127.0.0.1 -p 8053 nginx.default.svc.cluster.local
  dig @127.0.0.1 -p 8053 nginx
  dig @127.0.0.1 -p 8053 SRV _http._tcp.nginx.default.svc.cluster.local

docs/dns.md has every name, and configurations for HAProxy, nginx, Prometheus and resolvers.
`;
