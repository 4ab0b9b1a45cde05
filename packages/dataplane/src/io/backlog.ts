import type { Clock } from '@rollcall/runtime';

/** Longest wait when new connections keep arriving, in ms. */
const LONGEST_MS = 1_000;
/**
 * Most turns of the event loop at a socket that other processes share. It never runs dry under load, and whatever is left
 * there is theirs. Not at a socket of this process alone: what is left there is lost, and a turn may accept only one.
 */
const MOST_SHARED_TURNS = 200;
/** The first turn may already be past the point where the event loop accepts. */
const QUIET_TURNS = 2;

export interface BacklogBounds {
  readonly mostMs: number;
  /** Whether other processes accept at the same socket. */
  readonly isShared: boolean;
}

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
  { mostMs, isShared }: BacklogBounds,
): Promise<void> {
  const end = clock.monotonicMs() + Math.min(mostMs, LONGEST_MS);
  let count = accepted();
  const mostTurns = isShared ? MOST_SHARED_TURNS : Number.POSITIVE_INFINITY;
  let quiet = 0;
  for (let turns = 0; turns < mostTurns && clock.monotonicMs() < end; turns++) {
    // One after another, as the event loop turns.
    await turn();
    quiet = accepted() === count ? quiet + 1 : 0;
    if (quiet === QUIET_TURNS) return;
    count = accepted();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
