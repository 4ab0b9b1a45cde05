import { CONNECTION_POLICIES } from '@rollcall/balancing';
import {
  adminOptions,
  int,
  onOff,
  parseSocketAddress,
  REGISTRY_OPTIONS,
  spec,
} from '@rollcall/daemon';
import { TCP_OPTIONS, UDP_OPTIONS } from '@rollcall/dataplane';
import { isIP } from 'node:net';
import { z } from 'zod';

const DAY_MS = 86_400_000;
/** The default port of `--metrics`. */
export const USUAL_METRICS_PORT = 7_490;
const METRICS = 'expected an IP address with a port, or off';

const Metrics = z.string().transform((text, context) => {
  if (text === 'off') return undefined;
  const address = parseSocketAddress(text, USUAL_METRICS_PORT);
  if (address !== undefined) return address;
  context.addIssue({ code: 'custom', message: METRICS });
  return z.NEVER;
});

/** Every option of the proxy. */
export const OPTIONS = {
  ...REGISTRY_OPTIONS,
  namespace: spec({
    flag: 'namespace',
    env: 'ROLLCALL_NODE_PROXY_NAMESPACE',
    value: 'NAME',
    help: 'Namespace whose services are served; * = all namespaces.',
    schema: z
      .string()
      .regex(/^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/, { error: 'expected a namespace or *' })
      .default('*'),
  }),
  nodeName: spec({
    flag: 'node-name',
    env: 'ROLLCALL_NODE_PROXY_NODE_NAME',
    value: 'NAME',
    help: 'Name of this machine in reports. Default: its host name; plus the port of --metrics if that is not 7490, or the process id if --metrics is off.',
    schema: z.string().min(1, { error: 'expected a name' }).optional(),
  }),
  nodePortAddresses: spec({
    flag: 'node-port-addresses',
    env: 'ROLLCALL_NODE_PROXY_NODE_PORT_ADDRESSES',
    value: 'ADDRESS',
    list: 'commas',
    help: 'Addresses on which node ports are served. 0.0.0.0 = all addresses: anybody who can reach this machine can use them.',
    schema: z
      .array(z.string().refine((text) => isIP(text) !== 0, { error: 'expected an IP address' }))
      .default(['127.0.0.1']),
  }),
  loadBalancerIps: spec({
    flag: 'load-balancer-ips',
    env: 'ROLLCALL_NODE_PROXY_LOAD_BALANCER_IPS',
    help: 'Also serve the addresses that load balancers report, if they belong to this machine and are free.',
    schema: onOff.default(false),
  }),
  scheduler: spec({
    flag: 'scheduler',
    env: 'ROLLCALL_NODE_PROXY_SCHEDULER',
    value: 'NAME',
    help: `How connections are distributed if the service has no annotation rollcall.dev/scheduler: ${CONNECTION_POLICIES.join(', ')}.`,
    schema: z
      .enum(CONNECTION_POLICIES, { error: `expected one of ${CONNECTION_POLICIES.join(', ')}` })
      .default('rr'),
  }),
  connectMs: spec({
    flag: 'connect-ms',
    env: 'ROLLCALL_NODE_PROXY_CONNECT_MS',
    value: 'MS',
    help: 'How long a connection to an endpoint may take before another endpoint is tried.',
    schema: int(10, 600_000).default(TCP_OPTIONS.connectMs),
  }),
  idleMs: spec({
    flag: 'idle-ms',
    env: 'ROLLCALL_NODE_PROXY_IDLE_MS',
    value: 'MS',
    help: 'A TCP connection without data in either direction is closed after this time; 0 = never.',
    schema: int(0, 30 * DAY_MS).default(TCP_OPTIONS.idleMs),
  }),
  maxConnections: spec({
    flag: 'max-connections',
    env: 'ROLLCALL_NODE_PROXY_MAX_CONNECTIONS',
    value: 'COUNT',
    help: 'Maximum number of TCP connections; more are refused. Each one needs two file descriptors.',
    schema: int(1, 10_000_000).default(TCP_OPTIONS.connections),
  }),
  io: spec({
    flag: 'io',
    env: 'ROLLCALL_NODE_PROXY_IO',
    value: 'auto|net',
    help: 'How TCP is carried: the fastest way that this Node.js offers, or its public API.',
    schema: z.enum(['auto', 'net'], { error: 'expected auto or net' }).default('auto'),
  }),
  udpIdleMs: spec({
    flag: 'udp-idle-ms',
    env: 'ROLLCALL_NODE_PROXY_UDP_IDLE_MS',
    value: 'MS',
    help: 'A UDP flow without datagrams in either direction ends after this time.',
    schema: int(1_000, DAY_MS).default(UDP_OPTIONS.idleMs),
  }),
  udpFlows: spec({
    flag: 'udp-flows',
    env: 'ROLLCALL_NODE_PROXY_UDP_FLOWS',
    value: 'COUNT',
    help: 'Maximum number of UDP flows; each one needs a file descriptor. One more replaces the flow that has been silent for longest.',
    schema: int(1, 1_000_000).default(UDP_OPTIONS.flows),
  }),
  affinityClients: spec({
    flag: 'affinity-clients',
    env: 'ROLLCALL_NODE_PROXY_AFFINITY_CLIENTS',
    value: 'COUNT',
    help: 'Maximum number of clients that are remembered for a service with sessionAffinity: ClientIP.',
    schema: int(1, 10_000_000).default(100000),
  }),
  drainMs: spec({
    flag: 'drain-ms',
    env: 'ROLLCALL_NODE_PROXY_DRAIN_MS',
    value: 'MS',
    help: 'How long TCP connections to an endpoint that has left may continue.',
    schema: int(0, 30 * DAY_MS).default(300000),
  }),
  shutdownMs: spec({
    flag: 'shutdown-ms',
    env: 'ROLLCALL_NODE_PROXY_SHUTDOWN_MS',
    value: 'MS',
    help: 'When this program is told to stop, how long connections may continue.',
    schema: int(0, DAY_MS).default(10000),
  }),
  reports: spec({
    flag: 'reports',
    env: 'ROLLCALL_NODE_PROXY_REPORTS',
    help: 'Report to the registry which addresses are served here and which could not be bound; describe svc shows it as conditions.',
    schema: onOff.default(true),
  }),
  metrics: spec({
    flag: 'metrics',
    env: 'ROLLCALL_NODE_PROXY_METRICS',
    value: 'IP:PORT',
    help: 'Address of the HTTP port with /livez, /readyz, /metrics and /services, which need no token; off = none.',
    fallback: '127.0.0.1:7490',
    schema: Metrics.prefault('127.0.0.1:7490'),
  }),
  insecureMetrics: spec({
    flag: 'insecure-metrics',
    env: 'ROLLCALL_NODE_PROXY_INSECURE_METRICS',
    help: 'Allow --metrics on an address that others can reach.',
    schema: onOff.default(false),
  }),
  ...adminOptions('ROLLCALL_NODE_PROXY'),
} as const;
