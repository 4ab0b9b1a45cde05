/** The known word most similar to a misspelt one; undefined when none is similar. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let lowest = limit + 1;
  for (const candidate of known) {
    // The lengths alone rule it out. Computing the distance could take long: a word may be as long as a file.
    if (Math.abs(word.length - candidate.length) >= lowest) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < lowest) {
      lowest = distance;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein distance, computed row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
