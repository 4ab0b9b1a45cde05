import { expect, test } from 'vitest';
import { fitted } from './fit.ts';
import { tableText } from './table.ts';
import { widthOf } from './width.ts';

const ROWS = [
  ['NAME', 'PORTS', 'ENDPOINTS'],
  [
    'a-name-that-is-quite-long-for-a-name',
    '80/TCP',
    '127.0.0.1:3000,127.0.0.2:3000,127.0.0.3:3000',
  ],
  ['b', '80/TCP,443/TCP,8080/TCP,8443/TCP', '127.0.0.1:3000'],
];
const room = (columns: number) => ({ columns, whole: 1 });
const widest = (rows: readonly (readonly string[])[]) =>
  Math.max(...tableText(rows).split('\n').map(widthOf));

test('what fits stays', () => {
  expect(fitted(ROWS, room(widest(ROWS)))).toEqual(ROWS);
  expect(fitted(ROWS, room(Infinity))).toEqual(ROWS);
});

test.each([110, 100, 90, 80])(
  'in %i columns each row is one line, and names are whole',
  (columns) => {
    const rows = fitted(ROWS, room(columns));
    expect(widest(rows)).toBeLessThanOrEqual(columns);
    expect(rows.map(([name]) => name)).toEqual(ROWS.map(([name]) => name));
  },
);

test('the longest cells are cut first', () => {
  const [, first, second] = fitted(ROWS, room(widest(ROWS) - 5));
  expect(first?.[2]).toBe('127.0.0.1:3000,127.0.0.2:3000,127.0.0.…');
  expect(second?.[1]).toBe(ROWS[2]?.[1]);
});

test('a terminal too narrow for anything still shows something of each cell', () => {
  const [, first] = fitted(ROWS, room(1));
  expect(first?.[2]).toBe('127.0.0.1:3000,…');
});

test('wide letters count as two columns, and hidden ones by their names', () => {
  const rows = [
    ['a', '字'.repeat(20)],
    ['b', `x\u001b[31m${'y'.repeat(40)}`],
  ];
  expect(widest(fitted(rows, room(25)))).toBeLessThanOrEqual(25);
});
