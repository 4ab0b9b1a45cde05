import { expect, test } from 'vitest';
import { tableText } from './table.ts';

test('a row stays a row, and its columns are as wide as what is shown', () => {
  const rows = [
    ['NAME', 'AGE'],
    ['\u001b[2J', '1s'],
    ['a\nb\tc', '2s'],
    ['東京', '3s'],
  ];
  expect(tableText(rows)).toBe(
    ['NAME      AGE', '^[[2J     1s', String.raw`a\nb\tc   2s`, '東京      3s', ''].join('\n'),
  );
});

test('columns are as wide as those before them', () => {
  expect(tableText([['a', 'b']], [4, 9])).toBe('a      b\n');
});
