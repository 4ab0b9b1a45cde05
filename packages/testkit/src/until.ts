import { setTimeout as sleep } from 'node:timers/promises';

export interface UntilOptions {
  /** How long to wait, in ms. @default 30000 */
  readonly withinMs?: number;
  /** Interval between checks, in ms. @default 10 */
  readonly everyMs?: number;
  /** Named in the error message when the wait fails. */
  readonly what?: string;
}

/**
 * Waits until `look` returns something truthy, and returns that. Errors of `look` count as "not yet"; the last one is
 * the cause of the timeout error.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  { withinMs = 30_000, everyMs = 10, what = 'the condition' }: UntilOptions = {},
): Promise<NonNullable<T>> {
  const endMs = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) {
      const cause = last instanceof Error ? { cause: last } : {};
      throw new Error(`waited ${withinMs} ms in vain for ${what}`, cause);
    }
    await sleep(everyMs);
  }
}
