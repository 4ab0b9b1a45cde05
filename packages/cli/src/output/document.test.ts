import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { jsonText, yamlText } from './document.ts';

const HOSTILE = [
  '\u001b]0;x\u0007',
  '\u009b31m',
  'a\u202eb',
  'two\nlines\u0085',
  'x\u{e0041}y',
  'half \ud800',
  '\u007f',
  `a long text ${'that is more than one line '.repeat(5)}\u2028\nand its end`,
  'plain\n\tlines\n',
];
const data = {
  list: HOSTILE,
  map: Object.fromEntries(HOSTILE.map((text) => [text, { [text]: text }])),
};
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

test('on a terminal a document says the same without a letter that it obeys', async () => {
  const json = jsonText(data, { isForTerminal: true });
  expect(json).not.toMatch(HIDDEN);
  expect(JSON.parse(json)).toEqual(data);
  const yaml = await yamlText(data, { isForTerminal: true });
  expect(yaml).not.toMatch(HIDDEN);
  expect(parse(yaml)).toEqual(data);
});

test('elsewhere a document is as it always was', async () => {
  expect(jsonText(data, { isForTerminal: false })).toBe(`${JSON.stringify(data, null, 4)}\n`);
  expect(jsonText({ a: [1] }, { isForTerminal: true, indent: 0 })).toBe('{"a":[1]}\n');
  expect(await yamlText({ b: 'a\u009bb\u202e', a: 'on' }, { isForTerminal: false })).toBe(
    'a: "on"\nb: "a\u009bb\u202e"\n',
  );
});
