import type { Clock } from './clock.ts';

/** The part of a clock that pauses need. */
type Alarm = Pick<Clock, 'after'>;

/** Resolves after `delayMs`. Rejects with the signal's reason as soon as it aborts. Leaves no listener. */
export function pause(clock: Alarm, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const onTime = () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
    const timer = clock.after(delayMs, onTime, { keepsAlive: true });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Resolves after `delayMs`, or at once when the signal aborts. */
export async function sleep(clock: Alarm, delayMs: number, signal?: AbortSignal): Promise<void> {
  await pause(clock, delayMs, signal).catch(() => {});
}

/**
 * Resolves as the promise does, or with undefined if it has not settled after `limitMs`. Rejects as the promise does.
 */
export async function within<T>(
  clock: Alarm,
  limitMs: number,
  promise: Promise<T>,
): Promise<T | undefined> {
  const over = Promise.withResolvers<undefined>();
  const timer = clock.after(limitMs, () => over.resolve(undefined), { keepsAlive: true });
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    timer.cancel();
  }
}

/**
 * Settles as the promise does, unless the signal aborts first: then it rejects with the signal's reason, whose cause is
 * what went wrong until then. Leaves no listener.
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal?: AbortSignal,
  causeOf: () => Error | undefined = () => undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(withCause(signal.reason, causeOf()));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The reason of an abort, with a cause if it had none. `AbortSignal.timeout` itself gives no cause. */
export function withCause(reason: unknown, cause: Error | undefined): unknown {
  const isBare = reason instanceof Error && reason.cause === undefined;
  if (isBare && cause !== undefined && Object.isExtensible(reason))
    Object.defineProperty(reason, 'cause', { value: cause, configurable: true, writable: true });
  return reason;
}

/** A signal that aborts with a `TimeoutError` after `limitMs`. */
export function deadline(clock: Alarm, limitMs: number): AbortSignal {
  const controller = new AbortController();
  const onTime = () =>
    controller.abort(new DOMException(`no end within ${limitMs} ms`, 'TimeoutError'));
  clock.after(limitMs, onTime);
  return controller.signal;
}
