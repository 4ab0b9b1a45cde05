import { expect, test } from 'vitest';
import type { Decision, Forward, Respond } from '../model/router.ts';
import { RawClient } from '../testing/raw-client.ts';
import { type BenchOptions, TestBench, answering } from '../testing/test-bench.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: secret\r\nX-Powered-By: old\r\n\r\nok';
const REFUSED: Respond = { kind: 'respond', status: 403, code: 'no', detail: 'not you' };

function request(line: string, fields: readonly string[] = [], body = ''): string {
  return `${[line, 'Host: a.test', 'Connection: close', ...fields].join('\r\n')}\r\n\r\n${body}`;
}

async function start(options: BenchOptions = {}) {
  const bench = await TestBench.start(options);
  const state = { received: '' };
  await bench.addTcp((socket) => {
    socket.on('data', (bytes) => (state.received += bytes.toString('latin1')));
    answering(OK)(socket);
  });
  return { bench, state };
}

const forwardTo = (bench: TestBench, more: Partial<Forward> = {}): Forward => ({
  kind: 'forward',
  group: bench.group,
  ...more,
});

test('a rule changes target, host and fields of a request', async () => {
  const { bench, state } = await start();
  await using _ = bench;
  bench.group.decide = () =>
    forwardTo(bench, {
      edits: {
        target: '/new?q=1',
        host: 'inner.test:81',
        removed: new Set(['cookie', 'x-old']),
        lines: Buffer.from('X-New: 1\r\nX-New: 2\r\n'),
      },
    });
  const fields = ['COOKIE: a=b', 'X-Old: 1', 'x-kept: 2', 'Content-Length: 2'];
  await RawClient.exchange(bench.port, request('POST /old?x HTTP/1.1', fields, 'hi'));
  const [head = '', body] = state.received.split('\r\n\r\n');
  expect(head.split('\r\n')[0]).toBe('POST /new?q=1 HTTP/1.1');
  expect(body).toBe('hi');
  expect(head).toContain('\r\nHost: inner.test:81\r\n');
  expect(head).toContain('\r\nX-Forwarded-Host: a.test\r\n');
  expect(head).toContain('\r\nx-kept: 2\r\n');
  expect(head).toContain('\r\nX-New: 1\r\nX-New: 2\r\n');
  expect(head.toLowerCase()).not.toMatch(/cookie|x-old/);
});

test('a rule changes the fields of an answer, knowing its target', async () => {
  const { bench } = await start();
  await using _ = bench;
  bench.group.decide = () =>
    forwardTo(bench, {
      answerEdits: (target) => ({
        removed: new Set(['server', 'x-powered-by']),
        lines: Buffer.from(`Set-Cookie: t=${target.port}\r\n`),
      }),
    });
  const answer = await RawClient.exchange(bench.port, request('GET / HTTP/1.1'));
  expect(answer).toContain(`\r\nSet-Cookie: t=${bench.group.targets[0]!.port}\r\n`);
  expect(answer).not.toMatch(/secret|powered/i);
  expect(answer).toMatch(/\r\n\r\nok$/);
});

test('a rule sees the fields of a request', async () => {
  const { bench } = await start();
  await using _ = bench;
  const seen: unknown[] = [];
  bench.group.decide = (view) => {
    seen.push(view.field('x-list'), view.field('x-none'), view.field('x-lis'), view.isSecure);
    return REFUSED;
  };
  await RawClient.exchange(bench.port, request('GET / HTTP/1.1', ['X-List: a', 'x-LIST:b']));
  expect(seen.slice(0, 3)).toEqual(['a, b', undefined, undefined]);
});

test('an answer of a rule has the fields that it wants', async () => {
  const { bench } = await start();
  await using _ = bench;
  bench.group.decide = () => ({ ...REFUSED, status: 401, fields: ['WWW-Authenticate: Basic'] });
  const answer = await RawClient.exchange(bench.port, request('GET / HTTP/1.1'));
  expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n[^]*\r\nWWW-Authenticate: Basic\r\n/);
});

/** Decides when the test says so. */
function deciding(bench: TestBench) {
  const waiting: ((decision: Forward | Respond) => void)[] = [];
  const state = { cancelled: 0 };
  bench.group.decide = (): Decision => ({
    kind: 'pending',
    start(decide) {
      waiting.push(decide);
      return () => void state.cancelled++;
    },
  });
  return { waiting, state };
}

test.each([
  ['none', [], '', ''],
  ['of known length', ['Content-Length: 6'], 'abc', 'def'],
  ['in chunks', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n', '3\r\ndef\r\n0\r\n\r\n'],
])('a decision that comes later: body %s', async (_name, fields, first, rest) => {
  const { bench, state } = await start();
  await using _ = bench;
  const { waiting } = deciding(bench);
  const client = await RawClient.connect(bench.port);
  client.send(request('POST /a?b HTTP/1.1', ['X-Own: 1', ...fields], first));
  await expect.poll(() => waiting.length).toBe(1);
  client.send(rest);
  // The buffer that held the request is used by others meanwhile.
  const other = await RawClient.connect(bench.port);
  other.send(request('GET /other HTTP/1.1', [`X-Long: ${'x'.repeat(2_000)}`]));
  await expect.poll(() => waiting.length).toBe(2);
  waiting[0]!(forwardTo(bench, { edits: { lines: Buffer.from('X-User: me\r\n') } }));
  await client.untilText('\r\n\r\nok');
  expect(state.received).toMatch(/^POST \/a\?b HTTP\/1\.1\r\n/);
  expect(state.received).toContain('\r\nX-Own: 1\r\n');
  expect(state.received).toContain('\r\nX-User: me\r\n');
  expect(state.received.split('\r\n\r\n').slice(1).join('\r\n\r\n')).toBe(first + rest);
  waiting[1]!(REFUSED);
  await other.untilText('"code":"no"');
  client.close();
  other.close();
});

test('requests behind one that waits wait too, and keep their order', async () => {
  const { bench } = await start();
  await using _ = bench;
  const { waiting } = deciding(bench);
  const client = await RawClient.connect(bench.port);
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  client.send(get('/1') + get('/2'));
  await expect.poll(() => waiting.length).toBe(1);
  const answer = (body: string): Respond => ({
    ...REFUSED,
    status: 200,
    content: { type: 'text/plain', body },
  });
  waiting[0]!(answer('one'));
  await expect.poll(() => waiting.length).toBe(2);
  waiting[1]!(answer('two'));
  await client.untilText('two');
  expect(client.text).toMatch(/one[^]*two$/);
  client.close();
});

test('nobody waits for a client that has gone, and a late decision changes nothing', async () => {
  const { bench, state: seen } = await start();
  await using _ = bench;
  const { waiting, state } = deciding(bench);
  const client = await RawClient.connect(bench.port);
  client.send(request('GET / HTTP/1.1'));
  await expect.poll(() => waiting.length).toBe(1);
  client.close();
  await expect.poll(() => state.cancelled).toBe(1);
  waiting[0]!(forwardTo(bench));
  expect(bench.recorder.responses.map(({ status }) => status)).toEqual([499]);
  expect(seen.received).toBe('');
});

test('a request whose time is over does not wait for a decision', async () => {
  const { bench } = await start({ timeouts: { requestMs: 300 } });
  await using _ = bench;
  const { state } = deciding(bench);
  const answer = await RawClient.exchange(bench.port, request('GET / HTTP/1.1'));
  expect(answer).toMatch(/^HTTP\/1\.1 504 /);
  expect(state.cancelled).toBe(1);
});

test.each([
  ['within', ['Content-Length: 4'], 'abcd', 200],
  ['too long', ['Content-Length: 5'], 'abcde', 413],
  ['announced as too long', ['Content-Length: 5000', 'Expect: 100-continue'], '', 413],
  ['in chunks, too long', ['Transfer-Encoding: chunked'], '4\r\nabcd\r\n0\r\n\r\n', 413],
])('a body %s', async (_name, fields, body, status) => {
  const { bench } = await start();
  await using _ = bench;
  bench.group.decide = () => forwardTo(bench, { bodyBytes: 4 });
  const answer = await RawClient.exchange(bench.port, request('POST / HTTP/1.1', fields, body));
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});

test('a body that becomes too long while it is sent on', async () => {
  await using bench = await TestBench.start();
  const state = { received: '' };
  await bench.addTcp((socket) => {
    socket.on('data', (bytes) => (state.received += bytes.toString('latin1')));
  });
  bench.group.decide = () => forwardTo(bench, { bodyBytes: 100 });
  const client = await RawClient.connect(bench.port);
  client.send(request('POST / HTTP/1.1', ['Transfer-Encoding: chunked'], '2\r\nab\r\n'));
  await expect.poll(() => state.received).toContain('ab\r\n');
  client.send(`c8\r\n${'x'.repeat(200)}\r\n`);
  await client.untilText('"code":"body_too_large"');
  expect(client.text).toMatch(/^HTTP\/1\.1 413 Content Too Large\r\n[^]*\r\nConnection: close\r\n/);
  expect(bench.recorder.results).toEqual([{ target: expect.any(String), outcome: 'cancelled' }]);
  client.close();
});
