import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkedBody, type ChunkRules } from './chunked-body.ts';
import { describeFault } from './fault.ts';

const REQUEST = { passesTrailers: false, isStrict: true };
const ANSWER = { passesTrailers: true, isStrict: false };

/** What goes on, of a body in pieces. */
function passOn(text: string, rules: ChunkRules, cuts: readonly number[] = []) {
  const bytes = Buffer.from(text, 'latin1');
  const body = new ChunkedBody(rules);
  let kept = '';
  let start = 0;
  for (const end of [...cuts.filter((cut) => cut < bytes.length), bytes.length]) {
    if (end <= start || body.isDone) continue;
    const stop = body.consume(bytes, start, end, null);
    if (stop < 0) return describeFault(stop).code;
    kept += bytes.toString('latin1', start, body.keptEnd);
    start = end;
  }
  return kept + body.tail;
}

function feed(text: string, cuts: readonly number[] = []) {
  const bytes = Buffer.from(text, 'latin1');
  const body = new ChunkedBody(REQUEST);
  let data = '';
  let start = 0;
  for (const end of [...cuts.filter((cut) => cut < bytes.length), bytes.length]) {
    if (end <= start) continue;
    const stop = body.consume(bytes, start, end, (source, from, to) => {
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

const PASSED: [string, ChunkRules, string, string][] = [
  ['an extension', REQUEST, '5;a=b\r\nhello\r\n0;x="y z"\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n'],
  ['an extension with a tab', ANSWER, '2 \t; a\r\nok\r\n0\r\n\r\n', '2\r\nok\r\n0\r\n\r\n'],
  ['blanks behind a size', ANSWER, '2 \t\r\nok\r\n0  \r\n\r\n', '2\r\nok\r\n0\r\n\r\n'],
  ['a trailer unasked', REQUEST, '0\r\nX:POST /slow HTTP/1.1\r\nY: b\r\n\r\n', '0\r\n\r\n'],
  [
    'trailers asked for',
    { passesTrailers: true, isStrict: true },
    '1\r\na\r\n0\r\nX-Sum:\t1 2 \r\nX-Empty:\r\n\r\n',
    '1\r\na\r\n0\r\nX-Sum: 1 2\r\nX-Empty: \r\n\r\n',
  ],
  [
    'what must stand in a head',
    ANSWER,
    '0\r\nSet-Cookie: a\r\nX-Forwarded-Prefix: /\r\nContent-Length: 9\r\nContent_Length: 9\r\nGrpc-Status: 0\r\nProxy-X: 1\r\n\r\n',
    '0\r\nGrpc-Status: 0\r\n\r\n',
  ],
  [
    'names that route or authorise, asked for trailers',
    { passesTrailers: true, isStrict: true },
    '0\r\nX-Forwarded-Proto: https\r\nAuthorization: x\r\nX_Y: z\r\nIf-Match: *\r\n\r\n',
    '0\r\n\r\n',
  ],
  ['nothing unusual', REQUEST, '05\r\nhello\r\n00\r\n\r\n', '05\r\nhello\r\n00\r\n\r\n'],
];

test.each(PASSED)('passes on %s as it should', (_name, rules, text, expected) => {
  expect(passOn(`${text}next`, rules)).toBe(expected);
  for (let cut = 1; cut < text.length; cut++) {
    expect(passOn(`${text}next`, rules, [cut])).toBe(expected);
    expect(passOn(`${text}next`, rules, [cut, cut + 1])).toBe(expected);
  }
});
