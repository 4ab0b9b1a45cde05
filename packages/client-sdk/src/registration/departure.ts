import type { CallRequest } from '../registry/call-request.ts';
import { Backoff, pause } from '@rollcall/runtime';
import { RollcallError, type RollcallErrorCode } from '../base/error.ts';
import type { Registrar } from './registrar.ts';

/** Shortest timeout for one server, in ms. */
const LEAST_MS = 250;

/** First pause between two tries, in ms. */
const FIRST_PAUSE_MS = 100;

const GONE: ReadonlySet<RollcallErrorCode> = new Set([
  'lease_unknown',
  'lease_superseded',
  'instance_not_found',
  'service_not_found',
] as const);

/** Whether the instance is off the roll, or belongs to another registration now. */
export const isGone = ({ code }: RollcallError): boolean => GONE.has(code);

export interface Departing {
  /** Path parameters of the instance. */
  readonly params: CallRequest<'deregister'>['params'];
  /** Identifies the instance: by its lease, or by its nonce when it does not know its lease. */
  readonly query: NonNullable<CallRequest<'deregister'>['query']>;
  /** How long to keep trying, in ms. */
  readonly limitMs: number;
}

/**
 * Takes an instance off the roll. Returns the revision of that write, or undefined when the instance was already off
 * the roll. Rejects when another try cannot help, or when the time is over.
 */
export async function takenOff(
  { client, options }: Registrar,
  { params, query, limitMs }: Departing,
): Promise<string | undefined> {
  const { runtime } = options;
  const backoff = new Backoff(runtime.random, FIRST_PAUSE_MS, limitMs / 3);
  const deadlineMs = runtime.monotonicMs() + limitMs;
  for (;;) {
    try {
      // Short enough that every server can still be asked.
      const leftMs = Math.max(deadlineMs - runtime.monotonicMs(), LEAST_MS) / options.url.length;
      const timeoutMs = Math.min(options.requestTimeoutMs, Math.max(leftMs, LEAST_MS));
      return (await client.call('deregister', { params, query, timeoutMs })).revision;
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      if (isGone(error)) return undefined;
      const pauseMs = backoff.nextDelayMs();
      if (!error.retryable || runtime.monotonicMs() + pauseMs > deadlineMs) throw error;
      await pause(runtime, pauseMs);
    }
  }
}
