import { expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { TestBench, answering } from '../testing/test-bench.ts';
import type { HttpListenerOptions } from './http-listener.ts';

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const LINE = 'POST / HTTP/1.1\r\nHost: a\r\n';

test.each([
  ['CL and TE', `${LINE}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['TE and CL', `${LINE}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n`, 400],
  ['two lengths', `${LINE}Content-Length: 0\r\nContent-Length: 34\r\n\r\n`, 400],
  ['TE hidden by a space', `${LINE}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
  ['TE hidden by a tab', `${LINE}Transfer-Encoding:\tchunked, x\r\n\r\n0\r\n\r\n`, 400],
  ['TE hidden by a fold', `${LINE}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`, 400],
  ['TE with vertical tab', `${LINE}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`, 400],
  ['a field split by bare LF', `${LINE}X: y\nContent-Length: 34\r\n\r\n`, 400],
  ['a field split by bare CR', `${LINE}X: y\rContent-Length: 34\r\n\r\n`, 400],
  ['NUL in a name', `${LINE}Content\0Length: 34\r\n\r\n`, 400],
  ['two Hosts', `${LINE}Host: b\r\n\r\n`, 400],
  ['a bad chunk size', `${LINE}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n`, 400],
  ['bare LF in chunks', `${LINE}Transfer-Encoding: chunked\r\n\r\n0\n\n`, 400],
  [
    'a chunk longer than said',
    `${LINE}Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n`,
    400,
  ],
  ['bare LF in an extension', `${LINE}Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n`, 400],
  [
    'a length in a trailer',
    `${LINE}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n`,
    400,
  ],
  ['another version', 'GET / HTTP/1.3\r\nHost: a\r\n\r\n', 505],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 501],
  ['too many fields', `${LINE}${'X: y\r\n'.repeat(200)}\r\n`, 431],
  ['a huge head', `${LINE}${`X: ${'y'.repeat(1_000)}\r\n`.repeat(40)}\r\n`, 431],
  ['a huge target', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
])('%s: refused, the connection ends, nothing behind it is read', async (_name, text, status) => {
  await using bench = await TestBench.start();
  const arrived: string[] = [];
  await bench.addHttp((incoming, response) => {
    arrived.push(incoming.url!);
    incoming.on('error', () => {});
    incoming.resume().on('end', () => response.end());
  });
  const answer = await RawClient.exchange(bench.port, text + SMUGGLED);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).toContain('Connection: close\r\n');
  expect(answer).toContain('application/problem+json');
  expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
  expect(arrived).not.toContain('/smuggled');
});

test('a chunked body that goes bad midway never looks complete to the target', async () => {
  await using bench = await TestBench.start();
  let isComplete = false;
  let isAborted = false;
  await bench.addHttp((incoming, response) => {
    incoming.on('error', () => {
      isAborted = true;
    });
    incoming.resume().on('end', () => {
      isComplete = true;
      response.end();
    });
  });
  const client = await RawClient.connect(bench.port);
  client.send(`${LINE}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
  await expect
    .poll(() => bench.group.targets[0]!.counters.connections, { timeout: 30_000 })
    .toBe(1);
  client.send('zz\r\n');
  await client.untilText('HTTP/1.1 400 ');
  await expect.poll(() => isAborted, { timeout: 30_000 }).toBe(true);
  expect(isComplete).toBe(false);
  client.close();
});

/** What a target got behind the head of a chunked request. */
async function receivedBody(body: string, listener: HttpListenerOptions = {}): Promise<string> {
  await using bench = await TestBench.start({ listener });
  let received = '';
  await bench.addTcp((socket) => {
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (!received.endsWith('\r\n\r\n') || received.split('\r\n\r\n').length < 3) return;
      socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
    });
  });
  const head =
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
  expect(await RawClient.exchange(bench.port, head + body)).toMatch(/^HTTP\/1\.1 204 /);
  return received.slice(received.indexOf('\r\n\r\n') + 4);
}

const WITH_TRAILERS =
  '2;x=y\r\nok\r\n0\r\nX:POST /slow-smuggled HTTP/1.1\r\nX-Forwarded-Proto: https\r\n\r\n';

test('trailers of requests, and extensions of chunks, do not reach the target', async () => {
  expect(await receivedBody(WITH_TRAILERS)).toBe('2\r\nok\r\n0\r\n\r\n');
});

test('a listener that asks gets trailers written anew, but for those of a head', async () => {
  const body = await receivedBody(WITH_TRAILERS, { passesTrailers: true });
  expect(body).toBe('2\r\nok\r\n0\r\nX: POST /slow-smuggled HTTP/1.1\r\n\r\n');
});

test('a forbidden trailer of an answer is left out, the answer is not', async () => {
  await using bench = await TestBench.start();
  const body = '2 \r\nok\r\n0\r\nSet-Cookie: a=b\r\nX-Sum: 1\r\n\r\n';
  await bench.addTcp(answering(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`));
  const client = await RawClient.connect(bench.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.untilText('\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n');
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(() => client.text.split('X-Sum').length === 3);
  expect(client.text).not.toContain('Set-Cookie');
  client.close();
});
