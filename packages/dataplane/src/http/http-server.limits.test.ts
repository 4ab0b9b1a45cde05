import { text } from 'node:stream/consumers';
import { ManualClock } from '@rollcall/runtime/testing';
import { expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { TestBench } from '../testing/test-bench.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const BIG = 1_000_000;
/** Waits for what a busy machine delays. */
const WAIT = { timeout: 20_000 };

const post = (length: number, ...fields: string[]) =>
  `${['POST / HTTP/1.1', 'Host: a', `Content-Length: ${length}`, ...fields].join('\r\n')}\r\n\r\n`;

async function start(options: Parameters<typeof TestBench.start>[0] = {}) {
  const clock = new ManualClock();
  const bench = await TestBench.start({ runtime: clock, ...options });
  return { bench, clock };
}

test('connections of one source', async () => {
  const { bench } = await start({ limits: { sourceConnections: 2 } });
  await using _ = bench;
  await bench.addHttp((__, response) => response.end('done'));
  const first = await RawClient.connect(bench.port);
  const second = await RawClient.connect(bench.port);
  // It may be refused before it knows that it is connected.
  const third = await RawClient.connect(bench.port).catch(() => undefined);
  await third?.until(() => third.isClosed);
  second.send(GET);
  await second.untilText('done');
  first.close();
  await expect.poll(() => bench.server.counters.connectionsOpen, WAIT).toBe(1);
  const fourth = await RawClient.connect(bench.port);
  fourth.send(GET);
  await fourth.untilText('done');
  expect(bench.server.counters.connectionsRefused).toBe(1);
  for (const client of [second, fourth]) client.close();
});

test('requests of one source', async () => {
  const { bench, clock } = await start({ limits: { sourceRequestsPerSecond: 2 } });
  await using _ = bench;
  await bench.addHttp((__, response) => response.end('done'));
  const client = await RawClient.connect(bench.port);
  const ask = async () => {
    client.text = '';
    client.send(GET);
    await client.until(() => client.text.endsWith('done') || client.text.endsWith('}\n'));
    return Number(client.text.slice(9, 12));
  };
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push(await ask());
  expect(statuses).toEqual([200, 200, 200, 200, 429]);
  expect(client.text).toContain('Rollcall-Reason: source_rate_limited\r\n');
  expect(client.text).toContain('Retry-After: 1\r\n');
  clock.advance(1_000);
  expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429]);
  expect(bench.recorder.responses.at(-1)).toMatchObject({ status: 429, attempts: 0 });
  client.close();
});

test('bytes of answers to one source', async () => {
  const { bench, clock } = await start({ limits: { sourceBytesPerSecond: 100_000 } });
  await using _ = bench;
  await bench.addHttp((__, response) => response.end(Buffer.alloc(BIG, 'x')));
  const client = await RawClient.connect(bench.port);
  client.send(GET);
  let seconds = 0;
  while (!client.text.endsWith('x'.repeat(1_000)) || client.text.length < BIG) {
    const before = client.text.length;
    clock.advance(1_000);
    seconds++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    // One read of the target's answer may be more than a second's share.
    expect(client.text.length - before).toBeLessThan(400_000);
    expect(seconds).toBeLessThan(1_000);
  }
  expect(seconds).toBeGreaterThan(7);
  clock.advance(1_000);
  expect(bench.recorder.responses).toMatchObject([{ status: 200, reason: '' }]);
  client.close();
});

test('bytes of requests of one source', async () => {
  const { bench, clock } = await start({ limits: { sourceBytesPerSecond: 100_000 } });
  await using _ = bench;
  const state = { taken: 0 };
  await bench.addHttp((incoming, response) => {
    incoming.on('data', (chunk: Buffer) => (state.taken += chunk.length));
    incoming.on('end', () => response.end('done'));
  });
  const client = await RawClient.connect(bench.port);
  client.send(post(BIG));
  client.send('x'.repeat(BIG));
  let seconds = 0;
  while (state.taken < BIG) {
    const before = state.taken;
    clock.advance(1_000);
    seconds++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(state.taken - before).toBeLessThan(400_000);
    expect(seconds).toBeLessThan(1_000);
  }
  expect(seconds).toBeGreaterThan(7);
  await client.untilText('done');
  client.close();
});

test('the time of a whole request, while the target is silent', async () => {
  const { bench, clock } = await start({ timeouts: { requestMs: 5_000 } });
  await using _ = bench;
  let asked = 0;
  await bench.addHttp(() => asked++);
  const client = await RawClient.connect(bench.port);
  client.send(GET);
  await expect.poll(() => asked, WAIT).toBe(1);
  clock.advance(4_500);
  expect(client.text).toBe('');
  clock.advance(1_000);
  await client.untilText('request_timeout');
  expect(client.text).toMatch(/^HTTP\/1\.1 504 /);
  expect(bench.recorder.results).toMatchObject([{ outcome: 'timed_out' }]);
  client.close();
});

test('the time of a whole request, while an answer goes on steadily', async () => {
  const { bench, clock } = await start({ timeouts: { requestMs: 5_000 } });
  await using _ = bench;
  let sent = 0;
  await bench.addHttp((__, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(`${sent++} `), 5);
    response.on('close', () => clearInterval(timer));
  });
  const client = await RawClient.connect(bench.port);
  client.send(GET);
  await client.untilText('20 ');
  clock.advance(5_500);
  await client.until(() => client.isClosed);
  expect(bench.recorder.responses).toMatchObject([{ status: 200, reason: 'request_timeout' }]);
  expect(bench.recorder.results).toMatchObject([{ outcome: 'cancelled' }]);
});

test('the time of a whole request, while the client sends steadily: no target is to blame', async () => {
  const { bench, clock } = await start({ timeouts: { requestMs: 5_000 } });
  await using _ = bench;
  let taken = 0;
  await bench.addHttp((incoming) =>
    incoming.on('data', (chunk: Buffer) => (taken += chunk.length)),
  );
  const client = await RawClient.connect(bench.port);
  client.send(post(100));
  for (let i = 1; i <= 5; i++) {
    client.send('x');
    await expect.poll(() => taken, WAIT).toBe(i);
    clock.advance(1_100);
  }
  await client.untilText('request_timeout');
  expect(bench.recorder.results).toMatchObject([{ outcome: 'cancelled' }]);
  client.close();
});

test('a slow body occupies no target', async () => {
  const { bench } = await start({ limits: { collectBytes: 1_000 } });
  await using _ = bench;
  await bench.addHttp(
    (incoming, response) => void text(incoming).then((body) => response.end(body)),
  );
  const client = await RawClient.connect(bench.port);
  client.send(post(10));
  await expect.poll(() => bench.server.counters.requests, WAIT).toBe(1);
  const counted = () => bench.server.counters.requestBytes;
  for (const byte of '012345678') {
    const before = counted();
    client.send(byte);
    await expect.poll(counted, WAIT).toBe(before + 1);
  }
  expect(bench.server.counters.upstreamConnects).toBe(0);
  client.send('9');
  await client.untilText('0123456789');
  client.close();
});

test.each([
  ['with a length', (body: string) => `${post(body.length)}${body}`],
  [
    'in chunks',
    (body: string) =>
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ],
])('a larger body goes on as it comes, %s', async (__, request) => {
  const { bench } = await start({ limits: { collectBytes: 1_000, replayBytes: 500 } });
  await using _ = bench;
  await bench.addHttp((incoming, response) => incoming.pipe(response));
  const body = Array.from({ length: 50_000 }, (___, at) => `${at} `).join('');
  const bytes = request(body);
  const client = await RawClient.connect(bench.port);
  const [first, rest] = [bytes.slice(0, 3_000), bytes.slice(3_000)];
  client.send(first);
  await expect.poll(() => bench.server.counters.upstreamConnects, WAIT).toBe(1);
  client.send(rest);
  await client.until(() => client.text.endsWith('0\r\n\r\n'));
  const answer = client.text.slice(client.text.indexOf('\r\n\r\n') + 4);
  const plain = answer.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '');
  expect(plain.startsWith(body)).toBe(true);
  client.close();
});

test('a collected body that breaks off reaches no target', async () => {
  const { bench } = await start({ limits: { collectBytes: 1_000 } });
  await using _ = bench;
  await bench.addHttp((__, response) => response.end('done'));
  const client = await RawClient.connect(bench.port);
  client.send(`${post(10)}01234`);
  client.socket.end();
  await client.untilText('client_body_cut');
  const gone = await RawClient.connect(bench.port);
  gone.send(`${post(10)}01234`);
  await expect.poll(() => bench.server.counters.requests, WAIT).toBe(2);
  gone.close();
  await expect.poll(() => bench.recorder.responses.length, WAIT).toBe(2);
  expect(bench.recorder.responses).toMatchObject([
    { status: 400, attempts: 0 },
    { status: 400, attempts: 0 },
  ]);
  expect(bench.server.counters.upstreamConnects).toBe(0);
});

test('who waits to be told to go on is told, though no target has been asked', async () => {
  const { bench } = await start({ limits: { collectBytes: 1_000 } });
  await using _ = bench;
  await bench.addHttp((incoming, response) => incoming.pipe(response));
  const client = await RawClient.connect(bench.port);
  client.send(post(4, 'Expect: 100-continue'));
  await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('body');
  await client.untilText('body');
  expect(client.text).toContain('HTTP/1.1 200 OK\r\n');
  client.close();
});
