/** Results of calls of one kind. */
export interface Tally {
  /** Times of successful calls, in ms. */
  readonly times: number[];
  /** Answered with 429 or 503. */
  refused: number;
  /** Other responses, or none. */
  errors: number;
}

export function emptyTally(): Tally {
  return { times: [], refused: 0, errors: 0 };
}

/** Adds the counts of `more`. */
export function addTally(to: Tally, more: Tally): void {
  for (const time of more.times) to.times.push(time);
  to.refused += more.refused;
  to.errors += more.errors;
}
