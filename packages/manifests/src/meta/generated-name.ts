/** Letters and digits of generated names: none that form words, and none that look like others. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

const SUFFIX_LENGTH = 5;

/** Longest text before the random end; the rest is cut off. */
const MAX_STEM = 63 - SUFFIX_LENGTH;

/** `generateName` with a random end. `below`: a random whole number, 0 up to but not including its argument. */
export function generatedName(stem: string, below: (limit: number) => number): string {
  const end = Array.from({ length: SUFFIX_LENGTH }, () => ALPHABET[below(ALPHABET.length)]);
  return stem.slice(0, MAX_STEM) + end.join('');
}

/**
 * What the rules for names are asked about a `generateName`: it may end in a hyphen, since something follows. The API
 * server asks the same.
 */
export function stemToCheck(stem: string): string {
  return stem.length > 1 && stem.endsWith('-') ? `${stem.slice(0, -2)}a` : stem;
}
