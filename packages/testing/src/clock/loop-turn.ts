// Taken at once: a test may replace the timers of its process by fake ones.
const later = setImmediate;

/** Resolves after the event loop has read what had arrived. */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => void later(resolve));
}
