import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { INCOMPLETE, describeFault } from './fault.ts';
import { HeadAssembler } from './head-assembler.ts';
import { RequestHead } from './request-head.ts';

const HOST = 'Host: a.example\r\n';

function parse(text: string): { after: number; head: RequestHead; bytes: Buffer } {
  const bytes = Buffer.from(text, 'latin1');
  const head = new RequestHead(8);
  return { after: head.parse(bytes, 0, bytes.length), head, bytes };
}

const VALID: [string, string][] = [
  ['plain', `GET / HTTP/1.1\r\n${HOST}\r\n`],
  ['a blank line before it', `\r\nGET / HTTP/1.1\r\n${HOST}\r\n`],
  ['any token as method', `M-SEARCH~1 /x HTTP/1.1\r\n${HOST}\r\n`],
  ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'],
  ['asterisk', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
  ['absolute target', 'GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['IPv6 host', 'GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n'],
  ['chunked in any case', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: CHUNKED\r\n\r\n`],
  ['white space around a value', `GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n`],
  ['empty value', `GET / HTTP/1.1\r\n${HOST}X-Empty:\r\n\r\n`],
  ['obs-text in a value', `GET / HTTP/1.1\r\n${HOST}X: \xe4\xff\r\n\r\n`],
  ['length 0', `POST / HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n`],
];

test.each(VALID)('accepts: %s', (_name, text) => {
  expect(parse(text).after).toBe(text.length);
});

const INVALID: [string, string, number, string][] = [
  ['empty method', ` / HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_start_line'],
  ['method with a control byte', `G\x01T / HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_start_line'],
  ['a TLS greeting', '\x16\x03\x01\x02\x00\x01', 400, 'bad_start_line'],
  ['HTTP/0.9', 'GET /\r\n\r\n', 400, 'bad_start_line'],
  ['two spaces', `GET  / HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_target'],
  ['space in the target', `GET /a b HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_start_line'],
  ['tab in the target', `GET /a\tb HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_target'],
  ['non-ASCII in the target', `GET /\xe4 HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_target'],
  ['fragment in the target', `GET /a#b HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_target'],
  ['relative target', `GET a HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_target'],
  ['asterisk for GET', `GET * HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_target'],
  ['another scheme', `GET ftp://a/ HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_target'],
  ['user in the target', `GET http://u@a/ HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_target'],
  ['CONNECT', `CONNECT a:1 HTTP/1.1\r\n${HOST}\r\n`, 501, 'connect_not_supported'],
  ['lower-case version', `GET / http/1.1\r\n${HOST}\r\n`, 400, 'bad_start_line'],
  ['space after the version', `GET / HTTP/1.1 \r\n${HOST}\r\n`, 400, 'bad_start_line'],
  ['HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'bad_version'],
  ['HTTP/1.2', `GET / HTTP/1.2\r\n${HOST}\r\n`, 505, 'bad_version'],
  ['bare LF after the request line', `GET / HTTP/1.1\n${HOST}\r\n`, 400, 'bad_line_end'],
  ['bare LF after a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 400, 'bad_line_end'],
  ['bare CR in a value', 'GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n', 400, 'bad_line_end'],
  ['bare CR for the blank line', `GET / HTTP/1.1\r\n${HOST}\rX`, 400, 'bad_line_end'],
  ['space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'bad_field_name'],
  ['empty name', `GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`, 400, 'bad_field_name'],
  ['name with a bad byte', `GET / HTTP/1.1\r\n${HOST}X(: x\r\n\r\n`, 400, 'bad_field_name'],
  ['a line without colon', `GET / HTTP/1.1\r\n${HOST}Nothing\r\n\r\n`, 400, 'bad_field_name'],
  ['obs-fold', `GET / HTTP/1.1\r\n${HOST} folded\r\n\r\n`, 400, 'bad_field_line'],
  ['NUL in a value', `GET / HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, 400, 'bad_field_value'],
  ['DEL in a value', `GET / HTTP/1.1\r\n${HOST}X: a\x7f\r\n\r\n`, 400, 'bad_field_value'],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'bad_host'],
  ['two Hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400, 'bad_host'],
  ['two Hosts in HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`, 400, 'bad_host'],
  ['empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400, 'bad_host'],
  ['Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400, 'bad_host'],
  ['Host with a bad port', 'GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n', 400, 'bad_host'],
  ['Host list', 'GET / HTTP/1.1\r\nHost: a, b c\r\n\r\n', 400, 'bad_host'],
  ['CL twice', length('Content-Length: 1\r\nContent-Length: 2'), 400, 'bad_content_length'],
  ['equal CL twice', length('Content-Length: 1\r\ncontent-length: 1'), 400, 'bad_content_length'],
  ['CL list', length('Content-Length: 1, 1'), 400, 'bad_content_length'],
  ['CL with a sign', length('Content-Length: +1'), 400, 'bad_content_length'],
  ['CL negative', length('Content-Length: -1'), 400, 'bad_content_length'],
  ['CL hexadecimal', length('Content-Length: 0x10'), 400, 'bad_content_length'],
  ['CL empty', length('Content-Length:'), 400, 'bad_content_length'],
  ['CL too large', length('Content-Length: 9999999999999999'), 400, 'bad_content_length'],
  ['CL and TE', length('Content-Length: 1\r\nTransfer-Encoding: chunked'), 400, 'ambiguous_length'],
  ['TE and CL', length('Transfer-Encoding: chunked\r\nContent-Length: 1'), 400, 'ambiguous_length'],
  ['TE identity', length('Transfer-Encoding: identity'), 400, 'bad_transfer_encoding'],
  ['TE list', length('Transfer-Encoding: gzip, chunked'), 400, 'bad_transfer_encoding'],
  ['TE with parameter', length('Transfer-Encoding: chunked;a=b'), 400, 'bad_transfer_encoding'],
  ['TE quoted', length('Transfer-Encoding: "chunked"'), 400, 'bad_transfer_encoding'],
  ['TE xchunked', length('Transfer-Encoding: xchunked'), 400, 'bad_transfer_encoding'],
  [
    'TE twice',
    length('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
    400,
    'bad_transfer_encoding',
  ],
  [
    'TE in HTTP/1.0',
    `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`,
    400,
    'bad_transfer_encoding',
  ],
  ['Connection no list', length('Connection: a;b'), 400, 'bad_connection'],
  ['unknown expectation', length('Expect: 200-ok'), 417, 'bad_expectation'],
  ['too many fields', length(Array(8).fill('X: y').join('\r\n')), 431, 'too_many_fields'],
];

function length(fields: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${fields}\r\n\r\n`;
}

test.each(INVALID)('refuses: %s', (_name, text, status, code) => {
  const { after } = parse(text);
  expect(after).toBeLessThan(0);
  expect(describeFault(after)).toMatchObject({ status, code });
});

test('an absolute target decides the host, whatever Host says', () => {
  const { head, bytes } = parse('GET http://b.example:81?y HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(bytes.toString('latin1', head.hostStart, head.hostEnd)).toBe('b.example:81');
  expect(bytes.toString('latin1', head.pathStart, head.targetEnd)).toBe('?y');
});

test('every prefix of a valid head is incomplete', () => {
  for (const [, text] of VALID) {
    for (let end = 0; end < text.length; end++) {
      expect(parse(text.slice(0, end)).after).toBe(INCOMPLETE);
    }
  }
});

/** The way sessions read: try the first piece, then collect. */
function parseInPieces(text: string, cuts: readonly number[]): number {
  const bytes = Buffer.from(text, 'latin1');
  const ends = [...new Set([...cuts, bytes.length])].toSorted((a, b) => a - b);
  const head = new RequestHead(8);
  const assembler = new HeadAssembler();
  let start = 0;
  for (const end of ends) {
    const isFirst = assembler.length === 0;
    assembler.append(bytes, start, end);
    start = end;
    if (!isFirst && !assembler.isWorthParsing()) continue;
    const after = head.parse(assembler.bytes, 0, assembler.length);
    if (after !== INCOMPLETE) return after;
  }
  return INCOMPLETE;
}

test('the verdict does not depend on how the bytes were split', () => {
  // The end of a head after each: what is malformed before any line ends is noticed when one does.
  const samples = [...VALID, ...INVALID].map(([, text]) => `${text}\r\n\r\n`);
  const property = fc.property(
    fc.constantFrom(...samples),
    fc.array(fc.nat({ max: 120 }), { maxLength: 12 }),
    (text, cuts) => {
      const inside = cuts.filter((cut) => cut > 0 && cut < text.length);
      expect(parseInPieces(text, inside)).toBe(parse(text).after);
    },
  );
  fc.assert(property, { numRuns: 3_000 });
});

test('arbitrary bytes never break the parser', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const after = new RequestHead(8).parse(Buffer.from(bytes), 0, bytes.length);
    expect(after).toBeLessThanOrEqual(bytes.length);
  });
  fc.assert(property, { numRuns: 2_000 });
});
