/** What stands on the letter before it. */
const MARKS = /\p{M}/gu;
const LETTER = /./gsu;
/** Letters that terminals give two columns: those of East Asia in full width, and pictures. */
const WIDE =
  /(?![\uff61-\uffdc])[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/gu;

/** Columns of a terminal that a line takes, as far as that is the same everywhere. */
export function widthOf(line: string): number {
  const letters = line.replaceAll(MARKS, '');
  return [...letters.matchAll(LETTER)].length + [...letters.matchAll(WIDE)].length;
}
