import { REQUEST_POLICIES } from '@rollcall/balancing';
import { NamespaceName } from '@rollcall/contract';
import type { buildConnector } from 'undici';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';
import { z } from 'zod';
import { parseOptions } from '../base/parse-options.ts';
import type { Runtime } from '../base/runtime.ts';
import { CALL_LIMITS } from './call-settings.ts';
import type { Logger } from './connection.ts';
import { durationMs } from './option-kinds.ts';
import { SYSTEM_RUNTIME } from '../base/system-runtime.ts';

const ratio = z.number().min(0, { error: 'expected 0 to 1' }).max(1, { error: 'expected 0 to 1' });
const EXPECTED_URL = 'expected an http:// or https:// url';
const Urls = z
  .union([z.string(), z.array(z.string()).min(1)], { error: `${EXPECTED_URL}, or a list of them` })
  .transform((given) => [given].flat())
  .superRefine((urls, context) => {
    for (const url of urls) {
      const message = urlFaultOf(url);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    }
  })
  .transform((urls) => urls.map((url) => url.replace(/\/+$/, '')));

function urlFaultOf(given: string): string | undefined {
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) return EXPECTED_URL;
  const hasUser = url.username !== '' || url.password !== '';
  if (hasUser) return 'expected a url without user name and password: give a token instead';
  if (url.search + url.hash !== '') return `${EXPECTED_URL} without query and fragment`;
  return undefined;
}

/** Options of `tls.connect`: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized`... */
const connectOptions = <T>() =>
  z
    .custom<T>((given) => typeof given === 'object' && given !== null, {
      error: 'expected an object of tls.connect options',
    })
    .superRefine((given, context) => {
      const message = tlsFaultOf(given as SecureContextOptions & { readonly servername?: unknown });
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });

/**
 * Checked up front: a connection that fails because of bad TLS options may leave a socket whose errors nobody handles.
 */
function tlsFaultOf(
  given: SecureContextOptions & { readonly servername?: unknown },
): string | undefined {
  const { servername } = given;
  if (servername !== undefined && typeof servername !== 'string')
    return 'expected tls.connect options with a text as servername';
  if (Object.keys(given).length === 0) return undefined;
  try {
    // Loaded only where it is used: TLS takes 6 MB.
    const { createSecureContext } = process.getBuiltinModule('node:tls');
    createSecureContext(given);
    return undefined;
  } catch (error) {
    return `expected tls.connect options that Node.js takes: ${(error as Error).message}`;
  }
}

/** Named, because Uint8Array has a type parameter that TypeScript before 5.7 does not know. */
interface PemBytes extends Uint8Array {}
const PemText = z.union([z.string(), z.custom<PemBytes>((given) => given instanceof Uint8Array)]);
const Pem = z.union([PemText, z.array(PemText)], {
  error: 'expected PEM, as text or bytes or a list of them',
});

const RetryBudgetOptions = z.strictObject({
  /** Retries allowed per call, 0..1. Raise it when instances die often and calls are cheap. @default 0.2 */
  ratio: ratio.default(0.2),
  /** Retries per second allowed in addition to `ratio`. Raise it for clients that call rarely. @default 10 */
  minPerSecond: z.number().min(0).default(10),
  /**
   * Largest number of unused retries that can accumulate. Raise it when one instance handles more calls at a time than
   * this. @default 1000
   */
  burst: z.number().min(0).default(1_000),
});

const EjectionOptions = z.strictObject({
  /** Whether a 5xx response counts as a failed call. @default true */
  serverErrors: z.boolean().default(true),
  /** Consecutive failed calls that eject an endpoint; one failed connect ejects it at once. @default 5 */
  failuresInARow: z.int().min(1).default(5),
  /**
   * Length of the first ejection, in ms; each repeat doubles it. Lower it when instances restart fast. @default 1000
   */
  baseMs: durationMs(1, 3_600_000).default(1_000),
  /** Longest ejection in ms. @default 30000 */
  maxMs: durationMs(1, 3_600_000).default(30_000),
  /** Largest share of endpoints ejected at the same time, 0..1; at least one endpoint always stays. @default 0.5 */
  maxEjectedRatio: ratio.default(0.5),
});

const CallOptions = z.strictObject({
  /** Connect timeout, in ms. Raise it for connections between continents. @default 1000 */
  connectTimeoutMs: durationMs(1, 600_000).default(1_000),
  /** Timeout for the response headers, in ms; 0 = no limit. @default 60000 */
  headersTimeoutMs: durationMs(0, 3_600_000).default(60_000),
  /**
   * How long a response body may send nothing, or stay unread by the caller, in ms; 0 = no limit. Raise it for callers
   * that pause in the middle of a large response: meanwhile each of them occupies a connection. @default 60000
   */
  bodyTimeoutMs: durationMs(0, 3_600_000).default(60_000),
  /** How long an idle connection is kept, in ms. Keep it below the servers' own keep-alive timeout. @default 4000 */
  keepAliveMs: durationMs(1, 600_000).default(4_000),
  /** Maximum number of connections to one endpoint; further calls queue. @default 256 */
  maxConnections: z.int().min(1).default(256),
  /**
   * Maximum number of tries per call, including the first; up to four refused connections count as one try. @default 3
   */
  maxTries: z.int().min(1).max(100).default(3),
  ...CALL_LIMITS,
  /**
   * TLS options for endpoints (scheme https). Without `servername`, certificates must match a name of the service.
   * @default {}
   */
  connect: connectOptions<buildConnector.BuildOptions>().prefault({}),
  retryBudget: RetryBudgetOptions.prefault({}),
  ejection: EjectionOptions.prefault({}),
});
export type CallOptions = z.output<typeof CallOptions>;

function isLogger(given: unknown): boolean {
  const { info, warn } = (given ?? {}) as Partial<Record<keyof Logger, unknown>>;
  return typeof info === 'function' && typeof warn === 'function';
}

/** Options of a client, with every default. */
export const RollcallOptions = z.strictObject({
  /** URLs of the registry servers; the client tries several in turn and starts with a random one. */
  url: Urls,
  /** Bearer token for the registry. @default none */
  token: z.string().min(1, { error: 'expected a token, not an empty text' }).optional(),
  /** CA certificates (PEM) that verify the registry's certificate. @default those of Node.js */
  ca: Pem.optional(),
  /** Further TLS options for the registry, e.g. a client certificate. @default {} */
  connect: connectOptions<ConnectionOptions>().prefault({}),
  /** Namespace of registrations and services that do not specify one. @default 'default' */
  namespace: NamespaceName.default('default'),
  /** How endpoints are chosen. @default 'p2c' */
  policy: z.enum(REQUEST_POLICIES).default('p2c'),
  /** Last part of the host names that the interceptor handles: `orders.rollcall`. @default 'rollcall' */
  hostSuffix: z.hostname().default('rollcall'),
  /** Timeout for connecting to a registry server, in ms. @default 1000 */
  connectTimeoutMs: durationMs(1, 60_000).default(1_000),
  /**
   * Timeout for the complete response of a registry server, in ms; a read that has begun may take ten times as long.
   * Keep it above 1000: a server itself may wait that long. @default 2000
   */
  requestTimeoutMs: durationMs(100, 60_000).default(2_000),
  /**
   * A stream without a complete event for this long counts as dead, in ms; servers ping every 5000. A large event may
   * take up to ten times as long while its data keeps arriving. @default 12500
   */
  silenceMs: durationMs(100, 600_000).default(12_500),
  /**
   * Longest pause between two attempts to open a stream, in ms. Raise it to protect a registry that has very many
   * clients. @default 1000
   */
  reconnectMaxMs: durationMs(1, 600_000).default(1_000),
  /**
   * How long endpoints that a new store does not know are kept as a last resort, in ms. Use the longest TTL in use.
   * @default 15000
   */
  unconfirmedGraceMs: durationMs(0, 600_000).default(15_000),
  /** How long a call waits for the first picture, in ms. @default 1000 */
  firstPictureWaitMs: durationMs(0, 600_000).default(1_000),
  /** How long a call waits for an endpoint when the picture has none, in ms. @default 0 */
  noEndpointWaitMs: durationMs(0, 600_000).default(0),
  /**
   * How often the calls to each endpoint are reported to the registry, for `rollcall top`, in ms; 0 = never. Nothing is
   * reported while there are no calls. @default 5000
   */
  trafficReportMs: durationMs(0, 600_000)
    .refine((ms) => ms === 0 || ms >= 100, { error: 'expected milliseconds, 100 to 600000, or 0' })
    .default(5_000),
  /**
   * Whether watching keeps the process alive. A program that only watches ends by itself without it, as tests should.
   * Registrations, and calls and waits under way, keep the process alive in any case. @default false
   */
  keepAlive: z.boolean({ error: 'expected true or false' }).default(false),
  /** How calls to instances are made. @default {} */
  calls: CallOptions.prefault({}),
  /**
   * Where to write what happens: that the registry answers or not, and what would otherwise be a process warning.
   * `console` or a pino logger fit. @default none: warnings of the process
   */
  logger: z
    .custom<Logger>(isLogger, { error: 'expected an object with the functions info and warn' })
    .optional(),
  /** Replaces parts of the clock, timers, randomness and signals, for tests. @default the real ones */
  runtime: z
    .custom<Partial<Runtime>>((given) => typeof given === 'object' && given !== null)
    .prefault({})
    .transform((given): Runtime => ({ ...SYSTEM_RUNTIME, ...given })),
});
export type RollcallOptions = z.input<typeof RollcallOptions>;
export interface ResolvedOptions extends Readonly<z.output<typeof RollcallOptions>> {}

/** Parses the options of a client. What would be a process warning goes to its logger, if it has one. */
export function resolveOptions(given: RollcallOptions): ResolvedOptions {
  const options = parseOptions(RollcallOptions, given);
  if (options.logger === undefined) return Object.freeze(options);
  const logger = guardedLogger(options.logger);
  if (given.runtime?.warn !== undefined) return Object.freeze({ ...options, logger });
  const warn: Runtime['warn'] = (message, cause) =>
    logger.warn(cause instanceof Error ? `${message}\n${cause.stack}` : message);
  return Object.freeze({ ...options, logger, runtime: { ...options.runtime, warn } });
}

/** A logger that throws, or whose promise rejects, breaks no call and ends no process: the process is warned instead. */
function guardedLogger(logger: Logger): Logger {
  const onFailed = (error: unknown) =>
    SYSTEM_RUNTIME.warn(`the logger failed: ${String(error)}`, error);
  const guarded = (level: keyof Logger) => (message: string) => {
    try {
      const returned: unknown = logger[level](message);
      if (returned instanceof Promise) returned.catch(onFailed);
    } catch (error) {
      onFailed(error);
    }
  };
  return { info: guarded('info'), warn: guarded('warn') };
}
