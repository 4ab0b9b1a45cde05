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

/** Whether it is `memory`, `file:PATH`, or the address of a Redis without parts that would be ignored. */
const isStore = (text: string) => {
  if (text === 'memory' || /^file:./.test(text)) return true;
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
    help: 'Address to listen on. One that other machines can reach needs tokens.',
    schema: z.string().min(1).default('127.0.0.1'),
  }),
  port: spec({
    flag: 'port',
    env: 'ROLLCALL_PORT',
    value: 'PORT',
    help: 'Port to listen on; 0 takes a free one.',
    schema: int(0, 65_535).default(7400),
  }),
  store: spec({
    flag: 'store',
    env: 'ROLLCALL_STORE',
    value: 'STORE',
    isSecret: true,
    help: 'Where the roll is: memory (gone with the process), file:PATH (memory, with what is declared, overridden or persistent in a file as well; one server), redis://[user:password@]host:port[/db], redis-sentinel://host:port,.../NAME[/db] or redis-cluster://host:port,...; rediss instead of redis for TLS.',
    schema: z
      .string()
      .refine(isStore, {
        error:
          'expected memory, or file:PATH, or redis://[user:password@]host:port[/number], or redis-sentinel://host:port,.../NAME, or redis-cluster://host:port,..., or rediss for TLS',
      })
      .default('memory'),
  }),
  storePrefix: spec({
    flag: 'store-prefix',
    env: 'ROLLCALL_STORE_PREFIX',
    value: 'PREFIX',
    help: 'First part of every key in Redis: another one is another registry.',
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
    help: 'Which partition of the store this server serves, 0 to 1023: the same for all servers of one roll. Each is a roll of its own, and in a Redis Cluster a slot of its own, so rolls of different namespaces spread over the primaries.',
    schema: int(0, 1_023).default(0),
  }),
  advertise: spec({
    flag: 'advertise',
    env: 'ROLLCALL_ADVERTISE',
    value: 'ADDRESS',
    help: 'Address under which this server is on the roll; the one it listens on by default.',
    schema: z.string().min(1).optional(),
  }),
  allowHost: spec({
    flag: 'allow-host',
    env: 'ROLLCALL_ALLOW_HOST',
    value: 'HOST',
    list: 'commas',
    help: "Names in the header Host that requests without a valid token may have, besides the machine's own addresses, loopback names, its host name and --advertise: names, *.suffix, addresses, or * for every one. What keeps web pages from reaching the registry under a name of their own (DNS rebinding).",
    schema: texts(isHostPattern, 'expected hosts such as registry,registry.example.org,*.internal'),
  }),
  allowOrigin: spec({
    flag: 'allow-origin',
    env: 'ROLLCALL_ALLOW_ORIGIN',
    value: 'ORIGIN',
    list: 'commas',
    help: "Origins of web pages whose requests are taken without a valid token, besides the registry's own pages.",
    schema: texts(isOrigin, 'expected origins such as https://console.example.org'),
  }),
  token: spec({
    flag: 'token',
    env: 'ROLLCALL_TOKEN',
    value: 'TOKEN[=SCOPES]',
    list: 'spaces',
    isSecret: true,
    help: 'A token and what it covers, comma-separated: read:NAMESPACE, report:NAMESPACE, register:NAMESPACE/SERVICE, * standing for every one, or admin (default); without a namespace it is default. Other users of the machine can see flags: prefer --token-file.',
    schema: z.array(z.string()).default([]),
  }),
  tokenFile: spec({
    flag: 'token-file',
    env: 'ROLLCALL_TOKEN_FILE',
    value: 'FILE',
    help: 'A file with one TOKEN[=SCOPES] a line; # begins a comment.',
    schema: z.string().min(1).optional(),
  }),
  insecure: spec({
    flag: 'insecure',
    env: 'ROLLCALL_INSECURE',
    help: 'Allow a public address without tokens: everybody may then change the roll.',
    schema: onOff.default(false),
  }),
  tlsCert: spec({
    flag: 'tls-cert',
    env: 'ROLLCALL_TLS_CERT',
    value: 'FILE',
    help: 'Certificate chain (PEM): serve HTTPS. Needs --tls-key.',
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
    help: 'Certificate authority (PEM) that clients must have a certificate of (mTLS).',
    schema: z.string().min(1).optional(),
  }),
  allowAddress: spec({
    flag: 'allow-address',
    env: 'ROLLCALL_ALLOW_ADDRESS',
    value: 'CIDR',
    list: 'commas',
    help: "Networks whose addresses a non-admin token may register besides the caller's own; any by default.",
    schema: texts(isCidr, 'expected networks such as 10.0.0.0/8,192.168.1.0/24'),
  }),
  serviceCidr: spec({
    flag: 'service-cidr',
    env: 'ROLLCALL_SERVICE_CIDR',
    value: 'CIDR',
    help: 'IPv4 network that cluster IPs come from, /8 to /29; the same for all servers of a store. The default can be bound on a Linux machine without rights.',
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
    help: 'Networks whose addresses a service may name in externalIPs; none by default, since a service could take over any address.',
    schema: texts(isCidr, 'expected networks such as 192.0.2.0/24,203.0.113.7'),
  }),
  ...LIMIT_OPTIONS,
  logEntries: spec({
    flag: 'log-entries',
    env: 'ROLLCALL_LOG_ENTRIES',
    value: 'COUNT',
    help: 'Entries of the log that the store keeps: a server away for longer reads the whole roll anew.',
    schema: int(100, 10_000_000).default(100_000),
  }),
  guardMs: spec({
    flag: 'guard-ms',
    env: 'ROLLCALL_GUARD_MS',
    value: 'MS',
    help: 'How long the guard keeps instances that fell silent together with more than half of their service.',
    schema: int(1_000, 3_600_000).default(60_000),
  }),
  warmUpMs: spec({
    flag: 'warm-up-ms',
    env: 'ROLLCALL_WARM_UP_MS',
    value: 'MS',
    help: 'How long an empty answer is refused with warming_up after starting on an empty store, so that instances can return. Longer than the longest heartbeat interval is safest.',
    schema: int(0, 300_000).default(5_000),
  }),
  shutdownMs: spec({
    flag: 'shutdown-ms',
    env: 'ROLLCALL_SHUTDOWN_MS',
    value: 'MS',
    help: 'How long streams are given to move to another server when this one is told to stop.',
    schema: int(0, 300_000).default(1_000),
  }),
  logLevel: logLevelOption('ROLLCALL_LOG_LEVEL'),
} as const;
