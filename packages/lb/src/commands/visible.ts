/** Control, format and line separator characters: with them a text that others wrote could overwrite a terminal. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text on one line, with the numbers of these characters in their place. */
export function visible(text: string): string {
  return text.replaceAll(HIDDEN, (letter) => `\\u{${letter.codePointAt(0)!.toString(16)}}`);
}
