import type { Runtime } from './runtime.ts';

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts, and leaves no listener. */
export function pause(runtime: Runtime, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = runtime.setTimer(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The promise, or undefined when it has not settled after `limitMs`. A rejection passes through. */
export async function within<T>(
  runtime: Runtime,
  limitMs: number,
  promise: Promise<T>,
): Promise<T | undefined> {
  const over = Promise.withResolvers<undefined>();
  const timer = runtime.setTimer(() => over.resolve(undefined), limitMs);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    timer.cancel();
  }
}

/**
 * The promise, unless the signal aborts first: then it rejects with the signal's reason, which tells by its cause what
 * went wrong until then. Leaves no listener.
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

/** The reason of an abort; when it has no cause of its own, with one. `AbortSignal.timeout` says nothing but that. */
export function withCause(reason: unknown, cause: Error | undefined): unknown {
  const isBare = reason instanceof Error && reason.cause === undefined;
  if (isBare && cause !== undefined && Object.isExtensible(reason))
    Object.defineProperty(reason, 'cause', { value: cause, configurable: true, writable: true });
  return reason;
}
