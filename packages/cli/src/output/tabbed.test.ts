import { expect, test } from 'vitest';
import { tabbedText } from './tabbed.ts';

test('a column is as wide as its cells in consecutive lines', () => {
  const lines = [
    ['Name:', 'web'],
    ['Default backend:', '<default>'],
    ['Rules:'],
    ['  Host', 'Path', 'Backends'],
    ['  shop.example', ''],
    ['    ', '/orders/all ', 'orders:80'],
    ['    ', '/ ', 'web:80'],
    ['Annotations:', '<none>'],
  ];
  expect(tabbedText(lines)).toBe(`Name:             web
Default backend:  <default>
Rules:
  Host          Path  Backends
  shop.example
                /orders/all   orders:80
                /             web:80
Annotations:    <none>
`);
});

test('text from others is escaped, and its width is that of its letters', () => {
  expect(
    tabbedText([
      ['a\u001b', 'x'],
      ['日本', 'y\nz'],
    ]),
  ).toBe('a^[   x\n日本  y\\nz\n');
});
