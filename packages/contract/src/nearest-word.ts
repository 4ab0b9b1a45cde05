/** The known word that a misspelt one was probably meant to be; undefined when none is similar. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  let lowest = Math.max(1, Math.floor(word.length / 3)) + 1;
  let best: string | undefined;
  for (const candidate of known) {
    // The lengths alone rule it out. Computing the distance could take long: a word may be as long as a file.
    if (Math.abs(word.length - candidate.length) >= lowest) continue;
    const distance = distanceOf(word.toLowerCase(), candidate.toLowerCase());
    if (distance >= lowest) continue;
    lowest = distance;
    best = candidate;
  }
  return best;
}

/**
 * Letters to insert, delete, change or swap with a neighbour to turn one word into the other (optimal string alignment
 * distance), computed row by row.
 */
function distanceOf(a: string, b: string): number {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? above[j - 2]! + 1 : Infinity;
      next[j] = Math.min(change, row[j]! + 1, next[j - 1]! + 1, swap);
    }
    [above, row] = [row, next];
  }
  return row[b.length]!;
}
