import { isIP } from 'node:net';
import { int, isHostPattern, logLevelOption, onOff, spec } from '@rollcall/daemon';
import { z } from 'zod';
import { LIMIT_OPTIONS } from './limit-options.ts';
import { storeAddressOf } from './store/redis/store-address.ts';

/** A list of texts that all pass a check. */
const texts = (holds: (text: string) => boolean, error: string) =>
  z.array(z.string().refine(holds, { error })).default([]);
const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;
const isCidr = (text: string) => {
  const [network = '', prefix, ...rest] = text.split('/');
  const bits = isIP(network) === 6 ? 128 : 32;
  return (
    rest.length === 0 &&
    isIP(network) !== 0 &&
    (prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= bits))
  );
};

/**
 * Whether it is `memory`, `file:PATH`, the address of a Redis without parts that would be ignored, or the address of
 * something else, which needs a driver.
 */
const isStore = (text: string) => {
  if (text === 'memory' || /^file:./.test(text)) return true;
  if (/^(?!file:|memory|rediss?[:-])[a-z][a-z0-9+.-]*:./.test(text)) return true;
  try {
    storeAddressOf(text);
    return true;
  } catch {
    return false;
  }
};

/** Every option of the registry server. docs/options.md is generated from this table. */
export const OPTIONS = {
  host: spec({
    flag: 'host',
    env: 'ROLLCALL_HOST',
    value: 'ADDRESS',
    help: 'Address to listen on. An address that other machines can reach requires tokens.',
    schema: z.string().min(1).default('127.0.0.1'),
  }),
  port: spec({
    flag: 'port',
    env: 'ROLLCALL_PORT',
    value: 'PORT',
    help: 'Port to listen on; 0 = any free port.',
    schema: int(0, 65_535).default(7400),
  }),
  store: spec({
    flag: 'store',
    env: 'ROLLCALL_STORE',
    value: 'STORE',
    isSecret: true,
    help: 'Where the roll is kept: memory (lost when the process ends); file:PATH (memory, plus a file for declared objects, overrides and persistent instances; only for one server); redis://[user:password@]host:port[/db]; redis-sentinel://host:port,.../NAME[/db]; redis-cluster://host:port,... With TLS: rediss instead of redis.',
    schema: z
      .string()
      .refine(isStore, {
        error:
          'expected memory, or file:PATH, or redis://[user:password@]host:port[/number], or redis-sentinel://host:port,.../NAME, or redis-cluster://host:port,..., or rediss for TLS',
      })
      .default('memory'),
  }),
  storeDriver: spec({
    flag: 'store-driver',
    env: 'ROLLCALL_STORE_DRIVER',
    value: 'MODULE',
    help: 'Module that opens the store of --store, if it is not a built-in one: a path, or a package that is installed in the working directory. How to write one: docs/store-drivers.md.',
    schema: z.string().min(1).optional(),
  }),
  storePrefix: spec({
    flag: 'store-prefix',
    env: 'ROLLCALL_STORE_PREFIX',
    value: 'PREFIX',
    help: 'First part of every key in Redis. Registries with different prefixes share nothing.',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, {
        error: "expected 1 to 64 letters, digits, '.', '_' or '-'",
      })
      .default('rollcall'),
  }),
  storePartition: spec({
    flag: 'store-partition',
    env: 'ROLLCALL_STORE_PARTITION',
    value: 'NUMBER',
    help: 'Partition of the store that this server serves, 0 to 1023. All servers of one roll use the same partition. Each partition is a separate roll; in a Redis Cluster it is one slot, so several rolls spread over the primaries.',
    schema: int(0, 1_023).default(0),
  }),
  advertise: spec({
    flag: 'advertise',
    env: 'ROLLCALL_ADVERTISE',
    value: 'ADDRESS',
    help: 'Address of this server on the roll. Default: the address it listens on.',
    schema: z.string().min(1).optional(),
  }),
  allowHost: spec({
    flag: 'allow-host',
    env: 'ROLLCALL_ALLOW_HOST',
    value: 'HOST',
    list: 'commas',
    help: "Host names that requests without a valid token may use in the header Host: names, *.suffix, addresses, or * for all. Always allowed: the machine's own addresses, loopback names, its host name, and --advertise. This stops web pages that reach the registry under their own name (DNS rebinding).",
    schema: texts(isHostPattern, 'expected hosts such as registry,registry.example.org,*.internal'),
  }),
  allowOrigin: spec({
    flag: 'allow-origin',
    env: 'ROLLCALL_ALLOW_ORIGIN',
    value: 'ORIGIN',
    list: 'commas',
    help: "Origins of web pages that may send requests without a valid token. The registry's own pages always may.",
    schema: texts(isOrigin, 'expected origins such as https://console.example.org'),
  }),
  token: spec({
    flag: 'token',
    env: 'ROLLCALL_TOKEN',
    value: 'TOKEN[=SCOPES]',
    list: 'spaces',
    isSecret: true,
    help: 'A token and its scopes, separated by commas: read:NAMESPACE, report:NAMESPACE, secrets:NAMESPACE, register:NAMESPACE/SERVICE, or admin (default), which does not include secrets. * means every namespace or service; without a namespace, the scope is for the namespace default. Other users of the machine can see flags: prefer --token-file.',
    schema: z.array(z.string()).default([]),
  }),
  tokenFile: spec({
    flag: 'token-file',
    env: 'ROLLCALL_TOKEN_FILE',
    value: 'FILE',
    help: 'A file with one TOKEN[=SCOPES] per line; # starts a comment.',
    schema: z.string().min(1).optional(),
  }),
  secretsKeyFile: spec({
    flag: 'secrets-key-file',
    env: 'ROLLCALL_SECRETS_KEY_FILE',
    value: 'FILE',
    help: 'A file with keys that encrypt Secrets in the store, 32 bytes in base64 or as hex on each line: the first encrypts, all decrypt; # starts a comment. The same for all servers of a store. Without it Secrets are refused. On a public address it requires --tls-cert.',
    schema: z.string().min(1).optional(),
  }),
  insecure: spec({
    flag: 'insecure',
    env: 'ROLLCALL_INSECURE',
    help: 'Allow a public address without tokens: then anybody can change the roll.',
    schema: onOff.default(false),
  }),
  tlsCert: spec({
    flag: 'tls-cert',
    env: 'ROLLCALL_TLS_CERT',
    value: 'FILE',
    help: 'Certificate chain (PEM), to serve HTTPS. Requires --tls-key.',
    schema: z.string().min(1).optional(),
  }),
  tlsKey: spec({
    flag: 'tls-key',
    env: 'ROLLCALL_TLS_KEY',
    value: 'FILE',
    help: 'Private key (PEM) of --tls-cert.',
    schema: z.string().min(1).optional(),
  }),
  tlsClientCa: spec({
    flag: 'tls-client-ca',
    env: 'ROLLCALL_TLS_CLIENT_CA',
    value: 'FILE',
    help: 'Certificate authority (PEM). Clients must present a certificate signed by it (mTLS).',
    schema: z.string().min(1).optional(),
  }),
  allowAddress: spec({
    flag: 'allow-address',
    env: 'ROLLCALL_ALLOW_ADDRESS',
    value: 'CIDR',
    list: 'commas',
    help: "Networks whose addresses a non-admin token may register, in addition to the caller's own address. Default: any.",
    schema: texts(isCidr, 'expected networks such as 10.0.0.0/8,192.168.1.0/24'),
  }),
  serviceCidr: spec({
    flag: 'service-cidr',
    env: 'ROLLCALL_SERVICE_CIDR',
    value: 'CIDR',
    help: 'IPv4 network for cluster IPs, /8 to /29; the same for all servers of a store. On Linux, addresses of the default can be bound without privileges.',
    schema: z
      .string()
      .refine((text) => isCidr(text) && /^[\d.]+\/([89]|1\d|2\d)$/.test(text), {
        error: 'expected an IPv4 network such as 10.96.0.0/16, /8 to /29',
      })
      .default('127.96.0.0/16'),
  }),
  allowExternalIp: spec({
    flag: 'allow-external-ip',
    env: 'ROLLCALL_ALLOW_EXTERNAL_IP',
    value: 'CIDR',
    list: 'commas',
    help: 'Networks whose addresses a service may use as externalIPs. Default: none, because a service could take over any address.',
    schema: texts(isCidr, 'expected networks such as 192.0.2.0/24,203.0.113.7'),
  }),
  ...LIMIT_OPTIONS,
  logEntries: spec({
    flag: 'log-entries',
    env: 'ROLLCALL_LOG_ENTRIES',
    value: 'COUNT',
    help: 'How many log entries the store keeps. A server that was away for longer has to read the whole roll again.',
    schema: int(100, 10_000_000).default(100_000),
  }),
  guardMs: spec({
    flag: 'guard-ms',
    env: 'ROLLCALL_GUARD_MS',
    value: 'MS',
    help: 'When more than half of a service falls silent at once, how long the guard keeps these instances.',
    schema: int(1_000, 3_600_000).default(60_000),
  }),
  warmUpMs: spec({
    flag: 'warm-up-ms',
    env: 'ROLLCALL_WARM_UP_MS',
    value: 'MS',
    help: 'After a start on an empty store, how long the server answers warming_up instead of an empty list, so that instances can return. Safest: longer than the longest heartbeat interval.',
    schema: int(0, 300_000).default(5_000),
  }),
  shutdownMs: spec({
    flag: 'shutdown-ms',
    env: 'ROLLCALL_SHUTDOWN_MS',
    value: 'MS',
    help: 'When this server is told to stop, how much time streams have to move to another server.',
    schema: int(0, 300_000).default(1_000),
  }),
  logLevel: logLevelOption('ROLLCALL_LOG_LEVEL'),
} as const;
