import { isIP } from 'node:net';
import {
  adminOptions,
  int,
  onOff,
  parseSocketAddress,
  REGISTRY_OPTIONS,
  type SocketAddress,
  spec,
} from '@rollcall/daemon';
import { z } from 'zod';
import { keyOf } from '../wire/name.ts';

const ip = z.string().refine((text) => isIP(text) !== 0, { error: 'expected an IP address' });

/** Parses an address with a port, or reports what was expected. */
const socketAddress = (defaultPort: number, error: string) =>
  z.string().transform((text, context): SocketAddress => {
    const address = parseSocketAddress(text, defaultPort);
    if (address !== undefined) return address;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });

const zoneName = z
  .string()
  .transform((text) => text.toLowerCase().replace(/\.$/, ''))
  .refine(
    (text) =>
      /^[a-z0-9_]([-a-z0-9_.]*[a-z0-9])?$/.test(text) &&
      text.length <= 180 &&
      keyOf(text) !== undefined,
    { error: 'expected a domain name such as cluster.local' },
  );

/** Every option of the DNS server. */
export const OPTIONS = {
  ...REGISTRY_OPTIONS,
  host: spec({
    flag: 'host',
    env: 'ROLLCALL_DNS_HOST',
    value: 'IP',
    list: 'commas',
    help: 'Address to listen on, with UDP and TCP. Anybody who can reach it can ask for any name.',
    fallback: '127.0.0.1',
    schema: z.array(ip).min(1).default(['127.0.0.1']),
  }),
  port: spec({
    flag: 'port',
    env: 'ROLLCALL_DNS_PORT',
    value: 'PORT',
    help: 'Port to listen on; 0 = any free port. Resolvers expect 53, which needs a privilege.',
    schema: int(0, 65_535).default(8_053),
  }),
  zone: spec({
    flag: 'zone',
    env: 'ROLLCALL_DNS_ZONE',
    value: 'NAME',
    help: 'Domain of the names: <svc>.<ns>.svc.<zone>.',
    schema: zoneName.default('cluster.local'),
  }),
  namespace: spec({
    flag: 'namespace',
    env: 'ROLLCALL_NAMESPACE',
    value: 'NAME',
    help: 'Namespace of short names without a namespace: <svc>.',
    schema: z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, { error: 'expected a namespace name' })
      .default('default'),
  }),
  shortNames: spec({
    flag: 'short-names',
    env: 'ROLLCALL_DNS_SHORT_NAMES',
    help: 'Answer <svc>, <svc>.<ns> and <svc>.<ns>.svc too; otherwise they are forwarded or refused like other names.',
    schema: onOff.default(true),
  }),
  pods: spec({
    flag: 'pods',
    env: 'ROLLCALL_DNS_PODS',
    value: 'disabled|verified|insecure',
    help: 'Names <a-b-c-d>.<ns>.pod.<zone>, as in CoreDNS: none, those of instances in the namespace, or those of any address.',
    schema: z
      .enum(['disabled', 'verified', 'insecure'], {
        error: 'expected disabled, verified or insecure',
      })
      .default('disabled'),
  }),
  ttl: spec({
    flag: 'ttl',
    env: 'ROLLCALL_DNS_TTL',
    value: 'SECONDS',
    help: 'How long clients may cache an answer. Lower: changes arrive sooner. Higher: fewer queries.',
    schema: int(0, 86_400).default(5),
  }),
  negativeTtl: spec({
    flag: 'negative-ttl',
    env: 'ROLLCALL_DNS_NEGATIVE_TTL',
    value: 'SECONDS',
    help: 'How long clients may cache that a name or record does not exist.',
    schema: int(0, 86_400).default(5),
  }),
  udpPayload: spec({
    flag: 'udp-payload',
    env: 'ROLLCALL_DNS_UDP_PAYLOAD',
    value: 'BYTES',
    help: 'Largest answer over UDP, if the client accepts that much; a larger one is truncated, and the client asks again over TCP.',
    fallback: '1232, and whatever clients on this machine ask for',
    schema: int(512, 65_507).optional(),
  }),
  forward: spec({
    flag: 'forward',
    env: 'ROLLCALL_DNS_FORWARD',
    value: 'IP[:PORT]',
    list: 'commas',
    help: 'DNS server for all other names; several are asked in turn. Without one, other names are refused.',
    schema: z.array(socketAddress(53, 'expected an IP address, perhaps with :port')).default([]),
  }),
  forwardTimeoutMs: spec({
    flag: 'forward-timeout-ms',
    env: 'ROLLCALL_DNS_FORWARD_TIMEOUT_MS',
    value: 'MS',
    help: 'How long each forward server may take. Then the next one is asked; after the last one the answer is SERVFAIL.',
    schema: int(10, 60_000).default(2_000),
  }),
  maxForwards: spec({
    flag: 'max-forwards',
    env: 'ROLLCALL_DNS_MAX_FORWARDS',
    value: 'COUNT',
    help: 'Maximum number of forwarded queries in progress; one more gets SERVFAIL.',
    schema: int(1, 32_768).default(1_000),
  }),
  maxTcpConnections: spec({
    flag: 'max-tcp-connections',
    env: 'ROLLCALL_DNS_MAX_TCP_CONNECTIONS',
    value: 'COUNT',
    help: 'Maximum number of TCP connections on each address. One more replaces a connection that has not completed a query, or else an idle one; if there is neither, it is closed.',
    schema: int(1, 100_000).default(1_000),
  }),
  tcpIdleMs: spec({
    flag: 'tcp-idle-ms',
    env: 'ROLLCALL_DNS_TCP_IDLE_MS',
    value: 'MS',
    help: 'A TCP connection is closed when it is idle for this long, or when one query takes this long to arrive.',
    schema: int(10, 3_600_000).default(10_000),
  }),
  maxQueriesPerSecond: spec({
    flag: 'max-queries-per-second',
    env: 'ROLLCALL_DNS_MAX_QUERIES_PER_SECOND',
    value: 'COUNT',
    help: 'Maximum number of UDP queries per second from one other machine; more are told to use TCP. 0 = no limit.',
    schema: int(0, 10_000_000).default(0),
  }),
  metrics: spec({
    flag: 'metrics',
    env: 'ROLLCALL_DNS_METRICS',
    value: 'IP:PORT',
    help: 'Address of the HTTP port with /livez, /readyz and /metrics; off = none.',
    fallback: '127.0.0.1:7453',
    schema: z
      .union(
        [z.literal('off'), socketAddress(7_453, 'expected an IP address with a port, or off')],
        { error: 'expected an IP address with a port, or off' },
      )
      .default({ host: '127.0.0.1', port: 7_453 }),
  }),
  ...adminOptions('ROLLCALL_DNS'),
} as const;
