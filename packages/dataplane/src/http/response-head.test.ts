import { expect, test } from 'vitest';
import { INCOMPLETE, describeFault } from './fault.ts';
import { ResponseHead } from './response-head.ts';

function parse(text: string): { after: number; head: ResponseHead } {
  const bytes = Buffer.from(text, 'latin1');
  const head = new ResponseHead(8);
  return { after: head.parse(bytes, 0, bytes.length), head };
}

test.each([
  ['HTTP/1.1 200 OK\r\n\r\n'],
  ['HTTP/1.1 200 \r\n\r\n'],
  ['HTTP/1.1 200\r\n\r\n'],
  ['HTTP/1.0 404 Not \xe4 Found\r\nContent-Length: 3\r\n\r\n'],
  ['HTTP/1.1 999 ?\r\nTransfer-Encoding: chunked\r\n\r\n'],
])('accepts %j and calls each prefix incomplete', (text) => {
  expect(parse(text).after).toBe(text.length);
  for (let end = 0; end < text.length; end++) {
    expect(parse(text.slice(0, end)).after).toBe(INCOMPLETE);
  }
});

test.each([
  ['HTTP/2 200 OK\r\n\r\n', 'bad_start_line'],
  ['HTTP/1.2 200 OK\r\n\r\n', 'bad_version'],
  ['HTTP/1.1 20 OK\r\n\r\n', 'bad_start_line'],
  ['HTTP/1.1 099 OK\r\n\r\n', 'bad_start_line'],
  ['HTTP/1.1 2000 OK\r\n\r\n', 'bad_start_line'],
  ['HTTP/1.1  200 OK\r\n\r\n', 'bad_start_line'],
  ['HTTP/1.1 200 O\x00K\r\n\r\n', 'bad_start_line'],
  ['HTTP/1.1 200 OK\n\r\n', 'bad_line_end'],
  ['ICY 200 OK\r\n\r\n', 'bad_start_line'],
  ['HTTP/1.1 200 OK\r\nX : y\r\n\r\n', 'bad_field_name'],
  ['HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n', 'bad_field_line'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'bad_content_length'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1,\r\n\r\n', 'bad_content_length'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 1 1\r\n\r\n', 'bad_content_length'],
  [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'ambiguous_length',
  ],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'bad_transfer_encoding'],
  ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'bad_transfer_encoding'],
])('refuses %j', (text, code) => {
  const { after } = parse(text);
  expect(describeFault(after).code).toBe(code);
});

test.each([
  ['HTTP/1.1 200 OK\r\n\r\n', true, -1],
  ['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', false, -1],
  ['HTTP/1.0 200 OK\r\n\r\n', false, -1],
  ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n', true, -1],
  ['HTTP/1.1 200 OK\r\nKeep-Alive: max=5, timeout=7\r\n\r\n', true, 7],
  ['HTTP/1.1 200 OK\r\nKeep-Alive: timeout=x\r\n\r\n', true, -1],
])('%j: persistent %s, keep-alive %d s', (text, isPersistent, seconds) => {
  const { head } = parse(text);
  expect(head.isPersistent).toBe(isPersistent);
  expect(head.keepAliveSeconds).toBe(seconds);
});
