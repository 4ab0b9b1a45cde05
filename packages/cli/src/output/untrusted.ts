import { widthOf } from './width.ts';

/*
 * Much of what is printed was written by others: reasons, messages, annotations, labels. A terminal obeys some of it
 * (CVE-2021-25743), and some of it is read by people as something else than it is: what turns the direction of a text,
 * ends a line, or takes no room. Such letters are shown by their names instead. Shown twice is shown once.
 */

/** Controls (C0, DEL, C1), formats (bidi, zero-width, tags), separators of lines, lone surrogates, what takes no room. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;
const HIDDEN_IN_TEXT = new RegExp(`(?![\\t\\n])${HIDDEN.source}`, 'gu');

/** ESC and CR as kubectl shows them; the other two by the same rule. */
const SHORT: Readonly<Record<string, string>> = {
  '\u001b': '^[',
  '\r': String.raw`\r`,
  '\n': String.raw`\n`,
  '\t': String.raw`\t`,
};

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');
const codeOf = (letter: string) => letter.codePointAt(0) ?? 0;

function nameOf(letter: string): string {
  const code = codeOf(letter);
  return SHORT[letter] ?? (code > 0xffff ? `\\u{${hex(code, 0)}}` : `\\u${hex(code, 4)}`);
}

/** As one line: for cells, names, and messages that are put into a line. */
export function visibleLine(text: string): string {
  return text.replaceAll(HIDDEN, nameOf);
}

/** As the lines that it has; tabs stay as well. */
export function visibleText(text: string): string {
  return text.replaceAll(HIDDEN_IN_TEXT, nameOf);
}

/** Whether there is anything that a terminal would not show as it is. */
export function isHiding(text: string): boolean {
  return text.search(HIDDEN_IN_TEXT) !== -1;
}

/** JSON that says the same without what a terminal would not show: such letters stand in its texts alone. */
export function visibleJson(json: string): string {
  const unit = (letter: string, i: number) => `\\u${hex(letter.charCodeAt(i), 4)}`;
  return json.replaceAll(HIDDEN_IN_TEXT, (letter) =>
    [...Array(letter.length).keys()].map((i) => unit(letter, i)).join(''),
  );
}

/** The same for YAML whose texts that hide something stand in double quotes. */
export function visibleYaml(yaml: string): string {
  return yaml.replaceAll(HIDDEN_IN_TEXT, (letter) => {
    const code = codeOf(letter);
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
}

/** One line, filled up with spaces to a width in columns of a terminal. */
export function padded(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - widthOf(line)));
}
