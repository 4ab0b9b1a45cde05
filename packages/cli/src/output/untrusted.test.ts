import { expect, test } from 'vitest';
import { isHiding, padded, visibleLine, visibleText } from './untrusted.ts';
import { widthOf } from './width.ts';

test.each([
  ['a colour', '\u001b[31mred\u001b[0m', '^[[31mred^[[0m'],
  ['a title of the window and a bell', '\u001b]0;root\u0007', String.raw`^[]0;root\u0007`],
  ['the same by one letter of C1', '\u009b2J', String.raw`\u009b2J`],
  ['going back over a line', 'bad\rgood\b\b', String.raw`bad\rgood\u0008\u0008`],
  ['a line of its own', 'a\nb\tc\u0085d\u2028e\u2029f', String.raw`a\nb\tc\u0085d\u2028e\u2029f`],
  [
    'another direction',
    '\u202eexe.gpj\u202c\u2066\u200f\u061c',
    String.raw`\u202eexe.gpj\u202c\u2066\u200f\u061c`,
  ],
  [
    'what takes no room',
    'a\u200bb\u00ad\ufeff\u2060\u3164',
    String.raw`a\u200bb\u00ad\ufeff\u2060\u3164`,
  ],
  ['a text in tags', 'x\u{e0041}\u{e007f}', String.raw`x\u{e0041}\u{e007f}`],
  ['half a letter', 'a\ud800b\udc00', String.raw`a\ud800b\udc00`],
  ['delete, and nothing', '\u007f\u0000', String.raw`\u007f\u0000`],
])('%s is shown by its name', (_, text, expected) => {
  expect(visibleLine(text)).toBe(expected);
  expect(visibleLine(expected)).toBe(expected);
});

test('letters of every language, pictures and what is no letter at all are left as they are', () => {
  const text = 'Grüße, Ελλάδα, 東京, עברית, العربية, हिन्दी, 👋, ½ \\ ^ "`';
  expect(visibleLine(text)).toBe(text);
});

test('a text keeps its lines and tabs, and nothing else that controls', () => {
  expect(visibleText('a\n\tb\r\n\u001bc')).toBe('a\n\tb\\r\n^[c');
});

test('of all letters none that a terminal obeys, turns or hides gets through', () => {
  const refused =
    /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\p{Cs}]/u;
  for (let code = 0; code <= 0x10ffff; code++) {
    const letter = String.fromCodePoint(code);
    const shown = visibleLine(letter);
    if (refused.test(shown) || shown === '') expect.fail(`U+${code.toString(16)} gets through`);
    if (shown !== letter && code !== 9 && code !== 10) expect(isHiding(letter)).toBe(true);
  }
});

test('a line is filled up by what it takes on a terminal', () => {
  expect(padded('東京', 6)).toBe('東京  ');
  expect(padded('e\u0301', 3)).toBe('e\u0301  ');
  expect(padded('longer', 3)).toBe('longer');
  expect(['', 'abc', '👋', 'ｶﾅ', 'ＡＢ'].map(widthOf)).toEqual([0, 3, 2, 2, 4]);
});
