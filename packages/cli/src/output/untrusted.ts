import { widthOf } from './width.ts';

/*
 * Much of the output is untrusted: reasons, messages, annotations, labels. A terminal interprets some characters
 * (CVE-2021-25743), and others mislead readers: those that change the text direction, end a line, or take no space.
 * Such characters are replaced by their names. Applying it twice changes nothing more.
 */

/**
 * Controls (C0, DEL, C1), formats (bidi, zero-width, tags), line separators, lone
 * surrogates, and zero-width characters.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;
const HIDDEN_IN_TEXT = new RegExp(`(?![\\t\\n])${HIDDEN.source}`, 'gu');

/** ESC and CR in kubectl's notation; the other two follow the same rule. */
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

/** As a single line: for cells, names, and messages that become part of a line. */
export function visibleLine(text: string): string {
  return text.replaceAll(HIDDEN, nameOf);
}

/** Keeps line breaks and tabs. */
export function visibleText(text: string): string {
  return text.replaceAll(HIDDEN_IN_TEXT, nameOf);
}

/** Whether the text contains a character that a terminal would not display as it is. */
export function isHiding(text: string): boolean {
  return text.search(HIDDEN_IN_TEXT) !== -1;
}

/** Equivalent JSON with such characters escaped: they occur only inside its strings. */
export function visibleJson(json: string): string {
  const unit = (letter: string, i: number) => `\\u${hex(letter.charCodeAt(i), 4)}`;
  return json.replaceAll(HIDDEN_IN_TEXT, (letter) =>
    [...Array(letter.length).keys()].map((i) => unit(letter, i)).join(''),
  );
}

/** Equivalent YAML; strings with such characters must be in double quotes. */
export function visibleYaml(yaml: string): string {
  return yaml.replaceAll(HIDDEN_IN_TEXT, (letter) => {
    const code = codeOf(letter);
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
}

/** One line, padded with spaces to a width in terminal columns. */
export function padded(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - widthOf(line)));
}
