import { z } from 'zod';

/** Whole milliseconds, in a range. */
export const durationMs = (from: number, to: number) => {
  const error = `expected milliseconds, ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
};
