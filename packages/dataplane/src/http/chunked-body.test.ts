import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkedBody } from './chunked-body.ts';

function feed(text: string, cuts: readonly number[] = []) {
  const bytes = Buffer.from(text, 'latin1');
  const body = new ChunkedBody();
  let data = '';
  let start = 0;
  for (const end of [...cuts.filter((cut) => cut < bytes.length), bytes.length]) {
    if (end <= start) continue;
    const stop = body.take(bytes, start, end, (source, from, to) => {
      data += source.toString('latin1', from, to);
    });
    if (stop < 0 || body.isDone) return { stop, isDone: body.isDone, data };
    start = end;
  }
  return { stop: start, isDone: false, data };
}

const VALID: [string, string][] = [
  ['0\r\n\r\n', ''],
  ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['05\r\nhello\r\n000\r\n\r\n', 'hello'],
  ['A;name=value\r\n0123456789\r\n0;x="y z"\r\n\r\n', '0123456789'],
  ['1\r\n\r\r\n2\r\n\r\n\r\n0\r\n\r\n', '\r\r\n'],
  ['1\r\na\r\n0\r\nX-Sum: 1\r\nX-Other:\r\n\r\n', 'a'],
];

test.each(VALID)('reads %j', (text, data) => {
  expect(feed(`${text}next`)).toEqual({ stop: text.length, isDone: true, data });
});

test.each([
  ['\r\n'],
  ['\n'],
  ['x\r\n'],
  ['-1\r\n'],
  ['+1\r\n'],
  ['0x1\r\n'],
  [' 1\r\n'],
  ['1 \r\n'],
  ['1\n'],
  ['1\rx'],
  ['12345678901234\r\n'],
  ['1;a\x01\r\n'],
  ['1;a\nb\r\n'],
  [`1;${'a'.repeat(300)}\r\n`],
  ['1\r\nab'],
  ['1\r\na\n'],
  ['1\r\na\rx'],
  ['0\r\nX\r\n'],
  ['0\r\n: x\r\n'],
  ['0\r\n x\r\n'],
  ['0\r\nX: a\nb'],
  ['0\r\nX: a\x00\r\n'],
  ['0\r\nContent-Length: 5\r\n\r\n'],
  ['0\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['0\r\nHost: b\r\n\r\n'],
  ['0\r\n\n'],
  [`0\r\nX: ${'a'.repeat(9_000)}\r\n\r\n`],
])('refuses %j', (text) => {
  expect(feed(text).stop).toBeLessThan(0);
});

test('the place in the framing survives any split', () => {
  const property = fc.property(
    fc.constantFrom(...VALID.map(([text]) => text)),
    fc.array(fc.nat({ max: 40 })),
    (text, cuts) => {
      const sorted = cuts.toSorted((a, b) => a - b);
      expect(feed(`${text}next`, sorted)).toEqual(feed(`${text}next`));
    },
  );
  fc.assert(property, { numRuns: 1_000 });
});
