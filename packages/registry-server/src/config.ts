import { parseArgs } from 'node:util';
import type { z } from 'zod';
import type { OptionSpec } from './option-spec.ts';
import { OPTIONS } from './options.ts';

type Specs = typeof OPTIONS;
type Key = keyof Specs;

/** The server's configuration, checked and with every default. */
export type Config = { readonly [K in Exclude<Key, Quota>]: z.output<Specs[K]['schema']> } & {
  readonly [K in Quota]: number;
};

type Quota = keyof typeof PUBLIC_QUOTAS;

/** What one token has at most where strangers can reach the server, unless an option says otherwise. */
const PUBLIC_QUOTAS = {
  maxInstancesPerToken: 10_000,
  maxServicesPerToken: 1_000,
  maxWatchesPerToken: 5_000,
} as const;

/** A wrong option: its message names the flag or variable, the value and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads flags over environment over defaults. Throws a {@link ConfigError} that names every wrong option. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): Config {
  const flags = readFlags(argv);
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const key of Object.keys(OPTIONS) as Key[]) {
    const option: OptionSpec = OPTIONS[key];
    const fromFlag = flags[option.flag];
    const fromEnv = env[option.env] === '' ? undefined : env[option.env];
    const given = fromFlag ?? (key === 'token' ? fromEnv?.split(/\s+/).filter(Boolean) : fromEnv);
    const result = option.schema.safeParse(given === true ? 'true' : given);
    if (result.success) config[key] = result.data;
    else {
      const source = fromFlag === undefined ? option.env : `--${option.flag}`;
      const { message } = result.error.issues[0] as { message: string };
      const isSecret = key === 'token' || key === 'store';
      problems.push(
        `${source}: ${message}, got ${isSecret ? '(not shown)' : JSON.stringify(given)}`,
      );
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return checked(config);
}

function readFlags(
  argv: readonly string[],
): Record<string, string | boolean | string[] | undefined> {
  const options = Object.fromEntries(
    Object.values<OptionSpec>(OPTIONS).map(({ flag, value }) => [
      flag,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: flag === 'token',
      },
    ]),
  );
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowNegative: true });
    return values as Record<string, string | boolean | string[] | undefined>;
  } catch (error) {
    throw new ConfigError(
      `${(error as Error).message.replace(/\.? To specify.*$/s, '')} (--help lists the options)`,
    );
  }
}

/** What no option can tell alone. */
function checked(given: Partial<Config>): Config {
  const config = withQuotas(given as Config);
  const { host, insecure, token, tokenFile, tlsCert, tlsKey, tlsClientCa } = config;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new ConfigError('--tls-cert and --tls-key: expected both or neither');
  }
  if (tlsClientCa !== undefined && tlsCert === undefined) {
    throw new ConfigError('--tls-client-ca: expected --tls-cert and --tls-key with it');
  }
  const hasTokens = token.length > 0 || tokenFile !== undefined;
  const quotas = Object.keys(PUBLIC_QUOTAS) as Quota[];
  const used = quotas.find((quota) => (given[quota] ?? 0) > 0);
  if (used !== undefined && !hasTokens) {
    const { flag } = OPTIONS[used];
    throw new ConfigError(
      `--${flag}: expected --token or --token-file with it: without tokens all callers are one`,
    );
  }
  if (isPublicHost(host) && !hasTokens && !insecure) {
    throw new ConfigError(
      `--host ${host}: other machines can reach this address, so expected --token or --token-file (or --insecure to let everybody change the roll)`,
    );
  }
  return Object.freeze(config);
}

/** Without tokens all callers are one, who may have everything. */
function withQuotas(given: Config): Config {
  const { host, token, tokenFile } = given;
  const isLimited = isPublicHost(host) && (token.length > 0 || tokenFile !== undefined);
  const none = { maxInstancesPerToken: 0, maxServicesPerToken: 0, maxWatchesPerToken: 0 };
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  const quotas = isLimited ? PUBLIC_QUOTAS : none;
  return { ...given, ...quotas, ...(Object.fromEntries(said) as unknown as Config) };
}

/** Whether other machines can reach a server that listens on this address. */
export function isPublicHost(host: string): boolean {
  return !(host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host));
}

/** The text of `--help`. */
export function helpText(): string {
  const rows = Object.values<OptionSpec>(OPTIONS).map(({ flag, value, env, help, schema }) => {
    const fallback = schema.safeParse(undefined).data;
    const isPlain = typeof fallback === 'string' || typeof fallback === 'number';
    const shown = isPlain ? ` [default: ${fallback}]` : '';
    return `  --${flag}${value === undefined ? '' : ` ${value}`}\n      ${help}${shown} (${env})`;
  });
  return `Usage: rollcall-registry [options]\n\nKeeps the roll: instances register and heartbeat over HTTP, callers read and watch.\n\nOptions (environment variable in brackets; a flag wins):\n${rows.join('\n')}\n  --help\n      Print this.\n  --version\n      Print the version.\n`;
}
