import { CONNECTION_POLICIES } from '@rollcall/balancing';
import { isHostPattern, pemFile, tokenFile } from '@rollcall/daemon';
import { TCP_OPTIONS } from '@rollcall/dataplane';
import { z } from 'zod';
import { AccessLog } from './access-log-schema.ts';
import { flag, integer, label, ms, object, port, text } from './fields.ts';
import { ejection, type Stickiness, TargetGroup } from './group-schema.ts';
import { IngressRouting } from './ingress-schema.ts';
import { Limits, Timeouts } from './limits-schema.ts';
import { RequestId } from './request-id-schema.ts';
import { action, Rule } from './rule-schema.ts';
import { ListenerTls } from './tls-schema.ts';
import type { SecretCertificate } from '../tls/files/secret-certificate.ts';

const Listener = object({
  /** Name for messages. */
  name: label('a name'),
  /** Address to bind; a balancer's listener may be public. @default 127.0.0.1 */
  host: text('an address').default('127.0.0.1'),
  /** Port to bind; 0: any free one. */
  port,
  /** Protocol of the listener; `https` needs `tls`. @default http */
  protocol: z.enum(['http', 'https'], { error: 'expected http or https' }).default('http'),
  /** Certificates of an https listener. Its files are watched, and replaced without a restart. */
  tls: ListenerTls.optional(),
  /**
   * Forwards the trailers of requests, rewritten. Only for targets that are known to read them correctly: others take
   * them for the next request. @default false
   */
  passRequestTrailers: flag.default(false),
  /** The most specific rule applies, whatever the order. */
  rules: z.array(Rule, { error: 'expected a list of rules' }).default([]),
  /** Applies when no rule matches. @default 404 */
  default: object(action).optional(),
});

const Url = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// url' });

const Registry = object({
  /** One server, or several that use the same store. */
  url: z
    .union([Url, z.array(Url).min(1)], { error: 'expected an http(s) url or a list of them' })
    .transform((url) => (typeof url === 'string' ? [url] : url)),
  /** Needs the scope `read`. Preferably from the environment: `${ROLLCALL_TOKEN}`. */
  token: z
    .union([z.string().min(1), z.number()], { error: 'expected a token' })
    .transform(String)
    .optional(),
  /** A file with the token, instead of `token`. */
  tokenFile: tokenFile().optional(),
  /** A file with CA certificates (PEM) that verify the registry's certificate. @default those of Node.js */
  ca: pemFile('certificate').optional(),
  /** A file with the client certificate (PEM) for a registry that requires one. Needs `key`. */
  cert: pemFile('certificate').optional(),
  /** A file with the private key (PEM) of `cert`. */
  key: pemFile('private key').optional(),
});

const LoadBalancerServices = object({
  /** Addresses of this machine that services may get; each service gets one and keeps it. */
  addresses: z
    .array(
      z
        .union([z.ipv4(), z.ipv6()], { error: 'expected an IP address' })
        .refine((address) => !/^(0\.0\.0\.0|::)$/.test(address), {
          error: 'expected an address that callers can use',
        }),
      { error: 'expected a list of IP addresses' },
    )
    .min(1, { error: 'expected at least one address' }),
  /** Serves the services with this `loadBalancerClass`. @default '': those without a class */
  class: z.string({ error: 'expected a class' }).default(''),
  /** Serves the services of one namespace; `*`: of all. @default * */
  namespace: z
    .union([z.literal('*'), label('a namespace')], { error: 'expected a namespace or *' })
    .default('*'),
  /** Name of this balancer in reports; two balancers need different names. @default lb. and the host's name */
  reporter: text("a reporter's name")
    .regex(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/, {
      error: 'expected 1 to 63 of a-z, 0-9, "-" and "."',
    })
    .optional(),
  /** How connections are distributed when the service does not specify it. @default rr */
  scheduler: z
    .enum(CONNECTION_POLICIES, { error: `expected one of ${CONNECTION_POLICIES.join(', ')}` })
    .default('rr'),
  /** To connect to an endpoint; then another one is tried. @default 2000 */
  connectMs: ms().default(TCP_OPTIONS.connectMs),
  /** A TCP connection is aborted after this long without bytes in either direction; 0 = never. @default 0 */
  idleMs: ms(0).default(TCP_OPTIONS.idleMs),
  /** Time that TCP connections get when their endpoint leaves. @default 300000 */
  drainMs: ms(0).default(300_000),
  /** Ejection of endpoints that cannot be connected to. */
  ejection: object(ejection).prefault({}),
});

const Admin = object({
  /** Address of the admin port. @default 127.0.0.1 */
  host: text('an address').default('127.0.0.1'),
  /** Its port; 0 = any free one. @default 7480 */
  port: port.default(7_480),
  /**
   * Allows an address that other machines can reach: the port shows operator data, takes targets out of use when asked to,
   * and wants no token. @default false
   */
  insecure: flag.default(false),
  /**
   * Host names accepted by the admin port, besides addresses of this machine, loopback names and its host name: names,
   * `*.suffix`, or `*` for all. The check keeps web pages out. @default none
   */
  allowHosts: z
    .array(text('a host').refine(isHostPattern, { error: 'a host such as lb.internal' }))
    .default([]),
});

const Shutdown = object({
  /**
   * Time from the signal until the balancer stops accepting, with `/readyz` at 503 already, so that a proxy
   * in front can notice. @default 0
   */
  delayMs: ms(0).default(0),
  /** Time that requests in progress get before they are cut off. @default 30000 */
  graceMs: ms(0).default(30_000),
});

const FILE_NAME = text('stdout, off or the path of a file');

/** The configuration file. It defines every default. */
export const ConfigSchema = object({
  /** May be left out if nothing needs it: no target group has a `service`, and there is no `ingress` and the like. */
  registry: Registry.optional(),
  /** Where requests arrive; may be empty when there are `loadBalancerServices`. */
  listeners: z.array(Listener, { error: 'expected a list of listeners' }),
  /** Where requests go, by name. */
  targetGroups: z
    .record(label('a name'), TargetGroup, { error: 'expected target groups by name' })
    .default({}),
  /** Zone of this balancer, for target groups with `preferZone`. @default none */
  zone: text('the name of a zone').optional(),
  /** Serves the declared services of type LoadBalancer, over TCP and UDP. Absent: other programs serve them. */
  loadBalancerServices: LoadBalancerServices.optional(),
  /** Routes by the Ingresses that are declared in the registry. Absent: they route nothing here. */
  ingress: IngressRouting.optional(),
  admin: Admin.prefault({}),
  /** A line for each request: `stdout`, `off`, a file that is appended to, or a mapping. @default stdout */
  accessLog: z
    .union([FILE_NAME.transform((file) => AccessLog.parse({ file })), AccessLog], {
      error: 'expected stdout, off, a file, or a mapping with file, format or sample',
    })
    .prefault('stdout'),
  /** How long the parts of a request may take, in ms. */
  timeouts: Timeouts.prefault({}),
  /** Sizes and numbers. */
  limits: Limits.prefault({}),
  /**
   * Keeps X-Forwarded-*, Forwarded, X-Real-IP and similar fields of requests: only behind another proxy. @default false
   */
  trustForwarded: flag.default(false),
  /**
   * Gives each request an id, which its target, its answer and the access log get. @default none: a field that clients send
   * is passed on as any other
   */
  requestId: RequestId.optional(),
  /** Forwards header names with `_`, which targets that use CGI or WSGI read as `-`. @default false */
  underscoresInHeaders: flag.default(false),
  /** Applies the file, and those that it names, by itself when they change: within two seconds. @default false */
  watchConfig: flag.default(false),
  /**
   * A file whose content signs the cookies of stickiness: the same for all balancers that have the same clients, and kept
   * over restarts. @default a key of this program, until it ends
   */
  cookieKeyFile: text('a file').optional(),
  /**
   * How many processes carry HTTP, each on a core of its own: a number, or `auto` for one per core. They share the
   * listening sockets; one that dies is replaced. SIGUSR2 replaces the whole program, without refusing a connection.
   * @default none: the program itself carries it
   */
  workers: z
    .union([z.literal('auto'), integer(1, 256)], {
      error: "expected 'auto', or a number from 1 to 256",
    })
    .optional(),
  /** How TCP and TLS I/O is done: the fastest way that this Node.js offers, or its public API. @default auto */
  io: z.enum(['auto', 'net'], { error: "expected 'auto' or 'net'" }).default('auto'),
  shutdown: Shutdown.prefault({}),
});

type Parsed = z.output<typeof ConfigSchema>;
export type TargetGroupConfig = Parsed['targetGroups'][string] & {
  /** The zone whose targets come first: that of the balancer, where a group prefers it. */
  readonly nearZone?: string | undefined;
};

type ParsedListener = Parsed['listeners'][number];
export type ListenerTlsConfig = NonNullable<ParsedListener['tls']> & {
  /** Those of Ingresses; they come after the certificates of the file. */
  readonly secrets?: readonly SecretCertificate[] | undefined;
};
export type ListenerConfig = Omit<ParsedListener, 'tls'> & { tls?: ListenerTlsConfig | undefined };
export type Config = Omit<Parsed, 'targetGroups' | 'listeners'> & {
  targetGroups: Record<string, TargetGroupConfig>;
  listeners: ListenerConfig[];
};
/** The part of it by which requests are carried. */
export type FrontConfig = Omit<Config, 'registry' | 'admin' | 'watchConfig'>;
export type RedirectConfig = NonNullable<ActionConfig['redirect']>;
export type HealthCheckConfig = NonNullable<TargetGroupConfig['healthCheck']>;
export type ActionConfig = NonNullable<ListenerConfig['default']>;
export type LoadBalancerServicesConfig = NonNullable<Config['loadBalancerServices']>;
export type RegistryConfig = NonNullable<Config['registry']>;
export type QueueConfig = TargetGroupConfig['queue'];
export type StickinessConfig = z.output<typeof Stickiness>;
