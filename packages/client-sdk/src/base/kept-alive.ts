import type { Timer } from '@rollcall/runtime';
import type { Runtime } from './runtime.ts';

/** The longest time that a timer can have, in ms. */
const LONGEST_MS = 2 ** 31 - 1;

/** Settles as the promise does, and keeps the process alive until then. */
export async function keptAlive<T>(
  { after }: Pick<Runtime, 'after'>,
  waiting: Promise<T>,
): Promise<T> {
  let timer: Timer | undefined;
  const arm = () => {
    timer = after(LONGEST_MS, arm, { keepsAlive: true });
  };
  arm();
  try {
    return await waiting;
  } finally {
    timer?.cancel();
  }
}
