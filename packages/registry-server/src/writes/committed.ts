import type { Picture } from '../picture/picture.ts';

/** A write that the store has; `isApplied`: this server's own reads show it. */
export interface Committed<T> {
  readonly value: T;
  readonly isApplied: boolean;
}

/** How long a committed write waits for this server's own picture, in ms. */
const APPLY_WAIT_MS = 1_000;

/** Resolves with the value of a write once this server's picture has the write, or the wait is over. */
export async function committed<T>(
  picture: Picture,
  value: T,
  revision: number,
): Promise<Committed<T>> {
  return { value, isApplied: await picture.reached(revision, APPLY_WAIT_MS) };
}
