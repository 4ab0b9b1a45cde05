import type { Clock } from '@rollcall/runtime';

export interface TimeBound {
  /** Total time limit of the work, in ms from now. */
  readonly limitMs: number;
  /** Aborts the work earlier. */
  readonly signal?: AbortSignal | undefined;
  /** Creates the error for the end of the time limit. */
  readonly onOver: () => Error;
  /** The result of the work stays in use, and the signal can still end it: a stream. @default false */
  readonly isOngoing?: boolean;
}

/**
 * The result of `work`, unless the time limit ends first, even if `work` makes steady progress. The signal passed to
 * `work` aborts in that case and when the given signal aborts. Settles even if `work` does not.
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
    // A late rejection of the work must not be unhandled.
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
