/** How calls of one kind fared. */
export interface Tally {
  /** Times of those answered with success, in ms. */
  readonly times: number[];
  /** Answered with 429 or 503. */
  refused: number;
  /** Answered otherwise, or not at all. */
  errors: number;
}

export function emptyTally(): Tally {
  return { times: [], refused: 0, errors: 0 };
}

/** Adds what was counted later. */
export function addTally(to: Tally, more: Tally): void {
  for (const time of more.times) to.times.push(time);
  to.refused += more.refused;
  to.errors += more.errors;
}
