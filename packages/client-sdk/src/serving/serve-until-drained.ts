import { constants } from 'node:os';
import { within } from '@rollcall/runtime';
import { z } from 'zod';
import { parseOptions } from '../api/options.ts';
import type { Registration } from '../api/registration.ts';
import { RollcallError } from '../base/error.ts';
import { leavingOf } from '../registration/leaving.ts';
import type { Ending, EndingOptions } from './ending.ts';
import { GrpcEnding, type GrpcServer } from './grpc-ending.ts';
import { HttpEnding, type HttpServer } from './http-ending.ts';
import { Stop } from './stop.ts';

export interface ServeOptions {
  /** Signals that begin the drain; `true` = SIGTERM and SIGINT. A second one ends the process at once. @default true */
  readonly signals?: boolean | readonly NodeJS.Signals[];
  /** Begins the drain too. */
  readonly signal?: AbortSignal;
  /** How long callers that never say so may take to learn that the instance leaves, in ms. @default the registration's */
  readonly settleMs?: number;
  /** A connection is closed when nothing came on it for this long, in ms; raise it across slow networks. @default 200 */
  readonly lingerMs?: number;
  /**
   * How long requests and streams that are under way may take, in ms, from the moment when callers know. Keep it below
   * what the process's manager allows, less a second: 10 s with Docker. @default 8000
   */
  readonly graceMs?: number;
  /**
   * Called when callers know: ends what does not end by itself, such as WebSockets and event streams. A WebSocket should
   * be closed with 1001. What is still open after `graceMs` is cut off.
   */
  readonly closeStreams?: () => void | Promise<void>;
}

/** How serving ended. */
export interface Drained {
  /** Connections that were cut off after `graceMs`; 0 = nothing was lost. */
  readonly cutOff: number;
  /** Whether the instance is off the roll. If no registry answered, its lease ends at its TTL. */
  readonly isDeregistered: boolean;
}

const SIGNALS = Object.keys(constants.signals) as NodeJS.Signals[];
const USUAL: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

const Options = z.strictObject({
  signals: z
    .union([z.boolean(), z.array(z.enum(SIGNALS))], {
      error: 'expected true, false or a list of signals such as SIGTERM',
    })
    .default(true)
    .transform((given) => (given === true ? USUAL : given === false ? [] : given)),
  signal: z.instanceof(AbortSignal, { error: 'expected an AbortSignal' }).optional(),
  settleMs: z.int().min(0).max(600_000).optional(),
  lingerMs: z.int().min(0).max(60_000).default(200),
  graceMs: z.int().min(0).max(86_400_000).default(8_000),
  closeStreams: z
    .custom<NonNullable<ServeOptions['closeStreams']>>((given) => typeof given === 'function', {
      error: 'expected a function',
    })
    .optional(),
});

/**
 * Serves until a signal asks to stop, then leaves without failing a call: the instance is announced as draining, callers
 * learn it, the next answers ask them to connect elsewhere, work under way is done, and the instance leaves the roll.
 * Call it once the instance is registered. Resolves when all that is over; the process then ends by itself, unless
 * something else keeps it alive. Never ends the process, and does not reject when the registry is away.
 *
 * Throws a {@link RollcallError} `invalid_options` that names the option.
 */
export async function serveUntilDrained(
  server: HttpServer | GrpcServer,
  registration: Registration,
  options: ServeOptions = {},
): Promise<Drained> {
  const parsed = parseOptions(Options, options);
  const { runtime, attach } = leavingOf(registration);
  const ending = endingOf(server, runtime, parsed);
  let cutOff = 0;
  const end = async () => {
    const closed = Promise.resolve(parsed.closeStreams?.());
    await within(runtime, parsed.graceMs, Promise.all([ending.leave(), closed])).finally(() => {
      cutOff = ending.cut();
    });
  };
  let ended: Promise<void> | undefined;
  const endOnce = () => (ended ??= end());
  attach({ end: endOnce });
  const stop = new Stop(runtime.signals, parsed.signals);
  const { settleMs } = parsed;
  const drain = settleMs === undefined ? {} : { settleMs };
  try {
    await Promise.race([stop.asked, abortOf(parsed.signal), leftOf(registration)]);
    let isDeregistered = true;
    await registration.drain(drain).catch(() => (isDeregistered = false));
    await endOnce();
    return { cutOff, isDeregistered };
  } finally {
    stop.close();
  }
}

function endingOf(
  server: HttpServer | GrpcServer,
  runtime: ConstructorParameters<typeof HttpEnding>[1],
  options: EndingOptions,
): Ending {
  if (isGrpc(server)) return new GrpcEnding(server, runtime, options);
  if (isHttp(server)) return new HttpEnding(server, runtime, options);
  throw new RollcallError(
    'invalid_options',
    'option server: expected a server of node:http, node:https, node:http2 or @grpc/grpc-js',
    { field: 'server' },
  );
}

const isGrpc = (given: unknown): given is GrpcServer => hasFunction(given, 'tryShutdown');
const isHttp = (given: unknown): given is HttpServer => hasFunction(given, 'address');
const hasFunction = (given: unknown, name: string): boolean =>
  typeof (given as Readonly<Record<string, unknown>> | null)?.[name] === 'function';

function abortOf(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Resolves when the application itself lets the instance leave. */
function leftOf(registration: Registration): Promise<void> {
  return new Promise((resolve) => {
    registration.on('draining', resolve);
    registration.on('released', resolve);
  });
}
