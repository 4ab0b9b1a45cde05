import type { Clock } from '@rollcall/runtime';

export interface TimeBound {
  /** When the work is given up, in ms from now. */
  readonly limitMs: number;
  /** Gives it up sooner. */
  readonly signal?: AbortSignal | undefined;
  /** The error when the time is over. */
  readonly onOver: () => Error;
  /** What the work comes to goes on, and is still ended by the signal: a stream. @default false */
  readonly isOngoing?: boolean;
}

/**
 * What `work` comes to, unless its time is over first, however steadily it goes on until then; the signal that it is
 * given aborts in either case. Settles even if `work` does not.
 */
export async function bounded<T>(
  clock: Pick<Clock, 'after'>,
  { limitMs, signal, onOver, isOngoing = false }: TimeBound,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const inner = new AbortController();
  const over = Promise.withResolvers<never>();
  const give = (reason: unknown) => {
    over.reject(reason);
    inner.abort(reason);
  };
  const onAbort = () => give(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = clock.after(limitMs, () => give(onOver()), { keepsAlive: true });
  try {
    const working = work(inner.signal);
    // Whoever lost the race is not left unhandled.
    working.catch(() => undefined);
    const outcome = await Promise.race([working, over.promise]);
    if (!isOngoing) signal?.removeEventListener('abort', onAbort);
    return outcome;
  } catch (error) {
    signal?.removeEventListener('abort', onAbort);
    throw error;
  } finally {
    timer.cancel();
  }
}
