import type { Clock } from '@rollcall/runtime';

/** Callers that never stop coming are not waited for longer than this, in ms. */
const LONGEST_MS = 1_000;
/** The first turn may already be past the point where it accepts. */
const QUIET_TURNS = 2;

/**
 * Resolves when the system holds no connection that this process has not accepted yet, within `mostMs` at most.
 * Whoever closes a listener before that resets callers that have been connected by the system, and may have sent their
 * request. The event loop accepts a connection or more each turn, so turns without one say that nobody waits.
 *
 * @param accepted how many connections there have been.
 */
export async function backlogTaken(
  accepted: () => number,
  clock: Clock,
  mostMs: number,
): Promise<void> {
  const end = clock.monotonicMs() + Math.min(mostMs, LONGEST_MS);
  let count = accepted();
  for (let quiet = 0; quiet < QUIET_TURNS && clock.monotonicMs() < end;) {
    // In turn, as the event loop goes.
    await turn();
    quiet = accepted() === count ? quiet + 1 : 0;
    count = accepted();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
