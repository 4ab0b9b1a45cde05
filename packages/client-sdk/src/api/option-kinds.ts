import { z } from 'zod';

/** Whole milliseconds, in a range. */
export const durationMs = (from: number, to: number) => {
  const error = `expected milliseconds, ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
};

/** Also one of another copy of the class. */
const isAbortSignal = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && 'aborted' in given && 'addEventListener' in given;

export const abortSignal = () =>
  z.custom<AbortSignal>(isAbortSignal, { error: 'expected an AbortSignal' });

export const aFunction = <T>() =>
  z.custom<T>((given) => typeof given === 'function', { error: 'expected a function' });
