import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { type BenchOptions, TestBench, answering } from '../testing/test-bench.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const BUSY = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy';
const isFor = (status: number): boolean => status >= 502 && status <= 504;

function request(method: string, body = '', ...fields: string[]): string {
  const lines = [`${method} / HTTP/1.1`, 'Host: a', `Content-Length: ${body.length}`, ...fields];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const get = (method = 'GET', body = '') => request(method, body, 'Connection: close');

/** One target for each text, which is its answer. */
async function start(texts: readonly string[], options: BenchOptions = {}, attempts?: number) {
  const bench = await TestBench.start(options);
  for (const text of texts) await bench.addTcp(answering(text));
  bench.group.retry = { isFor, attempts };
  return bench;
}

test.each([['GET'], ['PUT'], ['HEAD']])(
  '%s: an answer of the rule is replaced by that of another target',
  async (method) => {
    const busy = method === 'HEAD' ? BUSY.replace('busy', '') : BUSY;
    await using bench = await start([busy, OK]);
    const answer = await RawClient.exchange(
      bench.port,
      get(method, method === 'PUT' ? 'body' : ''),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).not.toContain('busy');
    expect(bench.recorder.results).toMatchObject([
      { outcome: 'answered' },
      { outcome: 'answered' },
    ]);
    expect(bench.recorder.responses).toMatchObject([{ status: 200, attempts: 2 }]);
    expect(bench.server.counters.retries).toBe(1);
    expect(bench.group.targets.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  },
);

test('the connection of a replaced answer is used again, if the answer came whole', async () => {
  const BROKEN = 'HTTP/1.1 502 Bad\r\nContent-Length: 100\r\n\r\nbusy';
  await using bench = await start([BUSY, BROKEN, OK]);
  await RawClient.exchange(bench.port, get());
  expect(bench.group.targets.map((target) => bench.server.idleConnections(target))).toEqual([
    1, 0, 1,
  ]);
});

test('the last answer is passed on as it is', async () => {
  await using bench = await start([BUSY, BUSY, BUSY, BUSY]);
  const answer = await RawClient.exchange(bench.port, get());
  expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[^]*\r\n\r\nbusy$/);
  expect(bench.recorder.responses).toMatchObject([{ status: 503, attempts: 3, reason: '' }]);
});

test.each([
  ['the attempts of the rule', [BUSY, BUSY, OK], 2, {}, 'GET', 2],
  ['no target is left', [BUSY], undefined, {}, 'GET', 1],
  ['the request is not idempotent', [BUSY, OK], undefined, {}, 'POST', 1],
  ['the budget is empty', [BUSY, OK], undefined, { retryRatio: 0, retryReserve: 0 }, 'GET', 1],
] as const)('it is passed on: %s', async (_, texts, most, limits, method, attempts) => {
  await using bench = await start(texts, { limits }, most);
  const answer = await RawClient.exchange(bench.port, get(method));
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(bench.recorder.responses).toMatchObject([{ status: 503, attempts }]);
});

test('another status is passed on', async () => {
  await using bench = await start(['HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n', OK]);
  expect(await RawClient.exchange(bench.port, get())).toMatch(/^HTTP\/1\.1 500 /);
  expect(bench.server.counters.retries).toBe(0);
});

test('after an interim answer was passed on nothing is tried again', async () => {
  await using bench = await start([`HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${BUSY}`, OK]);
  const answer = await RawClient.exchange(bench.port, get());
  expect(answer).toMatch(/^HTTP\/1\.1 103 [^]*HTTP\/1\.1 503 /);
});

test('an answer that comes before the whole request is replaced, and the next target gets all of it', async () => {
  await using bench = await TestBench.start();
  const state = { received: '' };
  await bench.addTcp(answering(BUSY));
  await bench.addTcp((socket: Socket) => {
    socket.on('data', (bytes) => {
      state.received += bytes.toString('latin1');
      if (state.received.endsWith('two')) socket.write(OK);
    });
  });
  bench.group.retry = { isFor };
  const client = await RawClient.connect(bench.port);
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none');
  await expect.poll(() => state.received).toContain('one');
  client.send('two');
  await client.untilText('\r\n\r\nok');
  expect(state.received.split('\r\n\r\n')[1]).toBe('onetwo');
  expect(bench.server.idleConnections(bench.group.targets[0]!)).toBe(0);
  client.close();
});

test('requests that follow on the connection get their own answers', async () => {
  await using bench = await start([BUSY, OK]);
  const client = await RawClient.connect(bench.port);
  client.send(request('GET') + request('GET') + request('GET'));
  await expect.poll(() => client.text.match(/200 OK/g)?.length).toBe(3);
  expect(client.text).not.toContain('503');
  client.close();
});
