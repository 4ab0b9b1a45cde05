import type { Tell } from '@rollcall/daemon';
import { type Clock, pause } from '@rollcall/runtime';
import type { Config } from '../config/schema.ts';
import type { AdminPort } from './admin-port.ts';

/** How long a successor tries to get the admin port, in ms. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 100;

interface TakeOverParts {
  readonly clock: Clock;
  readonly log: Tell;
  readonly isNeeded: () => boolean;
}

/**
 * Opens the admin port once its predecessor, which gives it up at once, has done so. If somebody else has it, requests are
 * served without it.
 */
export async function takeOver(
  port: AdminPort,
  config: Config['admin'],
  { clock, log, isNeeded }: TakeOverParts,
): Promise<void> {
  const endMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      (await port.prepare(config)).commit();
      return;
    } catch (error) {
      if (!isNeeded()) return;
      if (clock.monotonicMs() > endMs) {
        log(`no admin port: ${(error as Error).message}`, 'error');
        return;
      }
    }
    await pause(clock, RETRY_MS);
  }
}
