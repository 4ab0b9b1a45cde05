import type { Clock } from '@rollcall/runtime';

/** Longest wait when new connections keep arriving, in ms. */
const LONGEST_MS = 1_000;
/** The first turn may already be past the point where the event loop accepts. */
const QUIET_TURNS = 2;

/**
 * Resolves when the system holds no connection that this process has not accepted yet, within `mostMs` at
 * most. Closing a listener earlier would reset callers whose connection the system has completed and that may
 * have sent their request. The event loop accepts at least one waiting connection per turn, so turns without
 * one show that none is waiting.
 *
 * @param accepted returns how many connections have been accepted.
 */
export async function backlogTaken(
  accepted: () => number,
  clock: Clock,
  mostMs: number,
): Promise<void> {
  const end = clock.monotonicMs() + Math.min(mostMs, LONGEST_MS);
  let count = accepted();
  for (let quiet = 0; quiet < QUIET_TURNS && clock.monotonicMs() < end;) {
    // One after another, as the event loop turns.
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
