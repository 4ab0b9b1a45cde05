import { SCHEDULERS, type Scheduler } from '@rollcall/balancing';
import { isHostPattern } from '@rollcall/daemon';
import { TCP_OPTIONS, UDP_OPTIONS } from '@rollcall/dataplane';
import { isIP } from 'node:net';
import { z } from 'zod';

/** An option of the program: a flag and a line of help. */
export interface OptionSpec {
  readonly flag: string;
  /** Where it is looked for when the flag is not given. */
  readonly env?: string;
  /** What stands for the value in the help; undefined: a switch. */
  readonly value?: string;
  readonly help: string;
  readonly schema: z.ZodType;
}

const int = (min: number, max: number) => {
  const error = `expected a whole number, ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,12}$/, { error })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
};
const list = z.string().transform((text) => text.split(',').map((part) => part.trim()));
const onOff = z
  .enum(['on', 'off'], { error: 'expected on or off' })
  .transform((value) => value === 'on');
const DAY_MS = 86_400_000;
const schedulers = Object.keys(SCHEDULERS) as [Scheduler, ...Scheduler[]];
const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/;

const Metrics = z.string().transform((text, context) => {
  if (text === 'off') return undefined;
  const [, six, four, digits = ''] = ADDRESS.exec(text) ?? [];
  const host = six ?? four ?? '';
  if (host !== '' && Number(digits) <= 65_535) return { host, port: Number(digits) };
  context.addIssue({ code: 'custom', message: 'expected HOST:PORT or off' });
  return z.NEVER;
});

const spec = <T extends OptionSpec>(given: T): T => given;

/** Every option of the proxy. */
export const OPTIONS = {
  registry: spec({
    flag: 'registry',
    env: 'ROLLCALL_URL',
    value: 'URL,...',
    help: 'Where the registry is; several servers in front of one store by commas.',
    schema: z
      .string({ error: 'missing; expected the http:// or https:// url of a registry' })
      .transform((text) => text.split(','))
      .pipe(z.array(z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// url' }))),
  }),
  token: spec({
    flag: 'token',
    env: 'ROLLCALL_TOKEN',
    value: 'TOKEN',
    help: 'Token for the registry. Other users of the machine can see flags: prefer the environment.',
    schema: z.string().min(1, { error: 'expected a token' }).optional(),
  }),
  namespace: spec({
    flag: 'namespace',
    value: 'NAME',
    help: 'Serve the services of one namespace; * = of all.',
    schema: z
      .string()
      .regex(/^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/, { error: 'expected a namespace or *' })
      .default('*'),
  }),
  nodeName: spec({
    flag: 'node-name',
    value: 'NAME',
    help: "Name of this machine in reports; by default the host's own, with the port of --metrics where it is not 7490, or the process where that is off.",
    schema: z.string().min(1, { error: 'expected a name' }).optional(),
  }),
  nodePortAddresses: spec({
    flag: 'node-port-addresses',
    value: 'ADDRESS,...',
    help: 'Addresses on which node ports are served; 0.0.0.0 = on all, for everybody who can reach this machine.',
    schema: list
      .refine((all) => all.every((address) => isIP(address) !== 0), {
        error: 'expected IP addresses such as 127.0.0.1,10.0.0.5',
      })
      .prefault('127.0.0.1'),
  }),
  loadBalancerIps: spec({
    flag: 'load-balancer-ips',
    value: 'on|off',
    help: 'Serve the addresses that load balancers report, where they are addresses of this machine and free.',
    schema: onOff.prefault('off'),
  }),
  scheduler: spec({
    flag: 'scheduler',
    value: 'NAME',
    help: `How connections are spread where the service's annotation rollcall.dev/scheduler does not say: ${schedulers.join(', ')}.`,
    schema: z.enum(schedulers, { error: `expected one of ${schedulers.join(', ')}` }).default('rr'),
  }),
  connectMs: spec({
    flag: 'connect-ms',
    value: 'MS',
    help: 'How long connecting to an endpoint may take before another one is tried.',
    schema: int(10, 600_000).prefault(String(TCP_OPTIONS.connectMs)),
  }),
  idleMs: spec({
    flag: 'idle-ms',
    value: 'MS',
    help: 'A TCP connection without bytes in either direction is broken after this; 0 = never.',
    schema: int(0, 30 * DAY_MS).prefault(String(TCP_OPTIONS.idleMs)),
  }),
  maxConnections: spec({
    flag: 'max-connections',
    value: 'COUNT',
    help: 'Most TCP connections at once; more are turned away. Each takes two file descriptors.',
    schema: int(1, 10_000_000).prefault(String(TCP_OPTIONS.connections)),
  }),
  io: spec({
    flag: 'io',
    value: 'auto|net',
    help: 'How TCP is done: the fastest way that this Node.js offers, or its public API.',
    schema: z.enum(['auto', 'net'], { error: 'expected auto or net' }).prefault('auto'),
  }),
  udpIdleMs: spec({
    flag: 'udp-idle-ms',
    value: 'MS',
    help: 'A UDP flow without datagrams in either direction ends after this.',
    schema: int(1_000, DAY_MS).prefault(String(UDP_OPTIONS.idleMs)),
  }),
  udpFlows: spec({
    flag: 'udp-flows',
    value: 'COUNT',
    help: 'Most UDP flows at once, a file descriptor each; beyond it the one silent for longest makes room.',
    schema: int(1, 1_000_000).prefault(String(UDP_OPTIONS.flows)),
  }),
  affinityClients: spec({
    flag: 'affinity-clients',
    value: 'COUNT',
    help: 'Most clients remembered for a service with sessionAffinity: ClientIP.',
    schema: int(1, 10_000_000).prefault('100000'),
  }),
  drainMs: spec({
    flag: 'drain-ms',
    value: 'MS',
    help: 'How long TCP connections to an endpoint that has left may go on.',
    schema: int(0, 30 * DAY_MS).prefault('300000'),
  }),
  shutdownMs: spec({
    flag: 'shutdown-ms',
    value: 'MS',
    help: 'How long connections may go on when this program is told to stop.',
    schema: int(0, DAY_MS).prefault('10000'),
  }),
  reports: spec({
    flag: 'reports',
    value: 'on|off',
    help: 'Say at the registry, as conditions of the services, what is served here and what could not be bound.',
    schema: onOff.prefault('on'),
  }),
  metrics: spec({
    flag: 'metrics',
    value: 'HOST:PORT|off',
    help: 'Where /livez, /readyz, /metrics and /services are answered. They ask for no token.',
    schema: Metrics.prefault('127.0.0.1:7490'),
  }),
  allowHost: spec({
    flag: 'allow-host',
    value: 'HOST,...',
    help: 'Names under which the port of --metrics is asked, besides addresses of this machine, loopback names and its host name: names, *.suffix, or * for every one. It keeps web pages out.',
    schema: list
      .refine((hosts) => hosts.every(isHostPattern), {
        error: 'expected hosts such as node-1.example.org,*.internal',
      })
      .default([]),
  }),
  insecureMetrics: spec({
    flag: 'insecure-metrics',
    value: 'on|off',
    help: 'Allow --metrics on an address that others can reach.',
    schema: onOff.prefault('off'),
  }),
} as const;
