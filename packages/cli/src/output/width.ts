/** Combining marks, displayed on the character before them. */
const MARKS = /\p{M}/gu;
const LETTER = /./gsu;
/** Characters that take two terminal columns: East Asian wide characters and emoji. */
const WIDE =
  /(?![\uff61-\uffdc])[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/gu;

/** Terminal columns of a line, as far as all terminals agree. */
export function widthOf(line: string): number {
  const letters = line.replaceAll(MARKS, '');
  return [...letters.matchAll(LETTER)].length + [...letters.matchAll(WIDE)].length;
}
