import { ConfigError, type OptionValues, programOptions, readOptions } from '@rollcall/daemon';
import { hasBuiltInDriver, noDriver } from './open-store.ts';
import { OPTIONS } from './options.ts';

type Values = OptionValues<typeof OPTIONS>;

/** The server's configuration, checked and with every default. */
export type Config = Omit<Values, Quota> & { readonly [K in Quota]: number };

type Quota = keyof typeof PUBLIC_QUOTAS;

/** Default quotas of one token, when other machines can reach the server. */
const PUBLIC_QUOTAS = {
  maxInstancesPerToken: 10_000,
  maxServicesPerToken: 1_000,
  maxWatchesPerToken: 5_000,
} as const;

/** Checks what involves more than one option. */
function checked(given: Values): Config {
  const config = withQuotas(given);
  const { host, insecure, token, tokenFile, tlsCert, tlsKey, tlsClientCa } = config;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new ConfigError('--tls-cert and --tls-key: expected both or neither');
  }
  if (tlsClientCa !== undefined && tlsCert === undefined) {
    throw new ConfigError('--tls-client-ca: expected --tls-cert and --tls-key with it');
  }
  if (config.storeDriver === undefined && !hasBuiltInDriver(config.store))
    throw noDriver(config.store);
  const hasTokens = token.length > 0 || tokenFile !== undefined;
  const quotas = Object.keys(PUBLIC_QUOTAS) as Quota[];
  const used = quotas.find((quota) => (given[quota] ?? 0) > 0);
  if (used !== undefined && !hasTokens) {
    const { flag } = OPTIONS[used];
    throw new ConfigError(
      `--${flag}: expected --token or --token-file with it: without tokens, all callers count as one`,
    );
  }
  if (config.secretsKeyFile !== undefined && isPublicHost(host) && tlsCert === undefined) {
    if (!insecure)
      throw new ConfigError(
        '--secrets-key-file: private keys would cross the network as plain text, so expected --tls-cert and --tls-key with it (or --insecure)',
      );
  }
  if (isPublicHost(host) && !hasTokens && !insecure) {
    throw new ConfigError(
      `--host ${host}: other machines can reach this address, so expected --token or --token-file (or --insecure to let everybody change the roll)`,
    );
  }
  return config;
}

/** The configuration with these values and the defaults for the rest. @throws ConfigError as {@link readConfig} */
export function completeConfig(given: Partial<Config>): Config {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return checked({ ...readOptions(OPTIONS, [], {}), ...Object.fromEntries(said) });
}

/** Without tokens all callers count as one, so there are no quotas. */
function withQuotas(given: Values): Config {
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

const HEAD = `rollcall-registry: keeps the roll: instances register and heartbeat over HTTP, callers read and watch

  rollcall-registry [options]   start, until SIGTERM or SIGINT
`;

export const { readConfig, helpText } = programOptions({
  head: HEAD,
  table: OPTIONS,
  check: checked,
});
