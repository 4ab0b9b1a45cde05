import { Backoff, pause } from '@rollcall/runtime';
import { RollcallError, type RollcallErrorCode } from '../base/error.ts';
import type { Registrar } from './registrar.ts';

/** A server is given no less than this, in ms. */
const LEAST_MS = 250;

/** First pause between two tries, in ms. */
const FIRST_PAUSE_MS = 100;

const GONE: ReadonlySet<RollcallErrorCode> = new Set([
  'lease_unknown',
  'lease_superseded',
  'instance_not_found',
  'service_not_found',
] as const);

/** Whether the instance is off the roll, or not this one's to take off. */
export const isGone = ({ code }: RollcallError): boolean => GONE.has(code);

export interface Departing {
  /** Of the instance's path. */
  readonly params: Readonly<Record<string, string>>;
  /** Who leaves: by its lease, or by its nonce where it knows no lease. */
  readonly query: Readonly<Record<string, string | number | undefined>>;
  /** How long it is tried, in ms. */
  readonly limitMs: number;
}

/**
 * Takes an instance off the roll; gives the revision of that, or undefined when it was off already. Rejects when another
 * try cannot help, or the time is over.
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
      // No longer than there is time to ask every server.
      const leftMs = Math.max(deadlineMs - runtime.monotonicMs(), LEAST_MS) / options.url.length;
      const timeoutMs = Math.min(options.requestTimeoutMs, Math.max(leftMs, LEAST_MS));
      return (await client.call('deregister', { params, query, timeoutMs })).revision;
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      if (isGone(error)) return undefined;
      const pauseMs = backoff.next();
      if (!error.retryable || runtime.monotonicMs() + pauseMs > deadlineMs) throw error;
      await pause(runtime, pauseMs);
    }
  }
}
