/** Controls, formats and line separators would let a text from others write anywhere on a terminal. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text as one line, with such characters as their numbers. */
export function visible(text: string): string {
  return text.replaceAll(HIDDEN, (letter) => `\\u{${letter.codePointAt(0)!.toString(16)}}`);
}
