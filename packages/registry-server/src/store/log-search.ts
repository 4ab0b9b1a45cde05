/** Index of the first entry after a revision. The log is sorted, so this is a binary search. */
export function firstAfter(
  log: readonly { readonly revision: number }[],
  revision: number,
): number {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log[middle] as { revision: number }).revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
