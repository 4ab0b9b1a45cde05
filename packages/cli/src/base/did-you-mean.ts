import { nearestWord } from '@rollcall/contract';

/** kubectl's hint below the error about a misspelt word; empty when no known word is similar. */
export function didYouMean(word: string, known: readonly string[]): string {
  const similar = nearestWord(word, known);
  return similar === undefined ? '' : `\n\nDid you mean this?\n\t${similar}`;
}
