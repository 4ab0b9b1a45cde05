import type { ServerResponse } from 'node:http';
import { ManualClock } from '@rollcall/runtime/testing';
import { expect, test } from 'vitest';
import { HTTP_LIMITS, HTTP_TIMEOUTS } from '../model/options.ts';
import type { Respond, Router } from '../model/router.ts';
import { RawClient } from '../testing/raw-client.ts';
import { type BenchOptions, TestBench } from '../testing/test-bench.ts';

const WAIT = { timeout: 30_000 };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const ANY = { host: '127.0.0.1', port: 0 };

const settings = ({ timeouts, limits, ...others }: BenchOptions) => ({
  timeouts: { ...HTTP_TIMEOUTS, ...timeouts },
  limits: { ...HTTP_LIMITS, ...limits },
  trustForwarded: false,
  ...others,
});

const answering = (body: string): Router => {
  const content = { type: 'text/plain', body };
  const answer: Respond = { kind: 'respond', status: 200, code: 'fixed', detail: '', content };
  return { route: () => answer };
};

test('an open connection gets the new rules with its next request, and the old ones for the one in progress', async () => {
  await using bench = await TestBench.start();
  const waiting: ServerResponse[] = [];
  await bench.addHttp((_, response) => void waiting.push(response));
  const listener = await bench.server.listen(ANY, bench.group);
  const client = await RawClient.connect(listener.address.port);
  client.send(GET);
  await expect.poll(() => waiting.length, WAIT).toBe(1);
  listener.reroute(answering('new'));
  waiting[0]!.end('old');
  await client.untilText('old');
  client.send(GET);
  await client.untilText('new');
  expect(client.text).not.toContain('Connection: close');
  client.close();
});

test('trailers are passed on, or not, from the next request on', async () => {
  await using bench = await TestBench.start();
  const seen: NodeJS.Dict<string>[] = [];
  await bench.addHttp((request, response) => {
    request.resume().on('end', () => {
      seen.push(request.trailers);
      response.end('ok');
    });
  });
  const listener = await bench.server.listen(ANY, bench.group, { passesTrailers: true });
  const client = await RawClient.connect(listener.address.port);
  const head = 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n';
  client.send(head);
  await expect.poll(() => bench.group.targets[0]?.inFlight, WAIT).toBe(1);
  listener.reroute(bench.group);
  client.send('0\r\nx-sum: 1\r\n\r\n');
  await expect.poll(() => seen, WAIT).toEqual([{ 'x-sum': '1' }]);
  client.send(`${head}0\r\nx-sum: 2\r\n\r\n`);
  await expect.poll(() => seen, WAIT).toEqual([{ 'x-sum': '1' }, {}]);
  client.close();
});

test('one listener closes: its requests finish and its connections end, those of the other go on', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  const waiting: ServerResponse[] = [];
  await bench.addHttp((request, response) => {
    if (request.url === '/slow') waiting.push(response);
    else response.end('ok');
  });
  const listener = await bench.server.listen(ANY, bench.group);
  const { port } = listener.address;
  const [busy, unused, other] = await Promise.all(
    [port, port, bench.port].map((at) => RawClient.connect(at)),
  );
  busy!.send(GET.replace('/ ', '/slow '));
  await expect.poll(() => waiting.length, WAIT).toBe(1);
  await listener.close(60_000);
  await expect
    .poll(() => RawClient.connect(port).then((late) => late.close(), String), WAIT)
    .toMatch('ECONNREFUSED');
  runtime.advance(1_000);
  await unused!.until(() => unused!.isEnded);
  waiting[0]!.end('finished');
  await busy!.until(() => busy!.isEnded);
  expect(busy!.text).toMatch(/Connection: close\r\n[^]*finished$/);
  other!.send(GET);
  await other!.untilText('ok');
  expect(other!.text).not.toContain('Connection: close');
  for (const client of [busy, unused, other]) client!.close();
});

test('what a closed listener still serves is cut off after its grace, and at once when the server closes', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  await bench.addHttp(() => {});
  const listeners = await Promise.all([1, 2].map(() => bench.server.listen(ANY, bench.group)));
  const clients = await Promise.all(
    [bench, ...listeners.map(({ address }) => address)].map(({ port }) => RawClient.connect(port)),
  );
  for (const client of clients) client.send(GET);
  await expect.poll(() => bench.group.targets[0]?.inFlight, WAIT).toBe(3);
  const [kept, short, long] = clients;
  await Promise.all([listeners[0]!.close(5_000), listeners[1]!.close()]);
  runtime.advance(6_000);
  await short!.until(() => short!.isClosed);
  expect([kept!.isClosed, long!.isClosed]).toEqual([false, false]);
  const closed = bench.server.close(0);
  runtime.advance(1_000);
  await closed;
});

test('a target is reached in another way: its connections are not used again', async () => {
  await using bench = await TestBench.start();
  const waiting: ServerResponse[] = [];
  await bench.addHttp((request, response) => {
    if (request.url === '/slow') waiting.push(response);
    else response.end('ok');
  });
  const [slow, quick] = await Promise.all([1, 2].map(() => RawClient.connect(bench.port)));
  slow!.send(GET.replace('/ ', '/slow '));
  await expect.poll(() => waiting.length, WAIT).toBe(1);
  const ask = async () => {
    quick!.text = '';
    quick!.send(GET);
    await quick!.untilText('ok');
  };
  await ask();
  const target = bench.group.targets[0]!;
  const opened = () => bench.server.counters.upstreamConnects;
  await expect.poll(() => bench.server.idleConnections(target), WAIT).toBe(1);
  expect(opened()).toBe(2);
  bench.server.renew(target);
  expect(bench.server.idleConnections(target)).toBe(0);
  await ask();
  expect(opened()).toBe(3);
  waiting[0]!.end('finished');
  await slow!.untilText('finished');
  // That of the slow request was not kept.
  await expect.poll(() => target.counters.connections, WAIT).toBe(1);
  await ask();
  expect(opened()).toBe(3);
  for (const client of [slow, quick]) client!.close();
});

test.each<[string, BenchOptions, BenchOptions, string, RegExp]>([
  ['headBytes', { limits: { headBytes: 1_024 } }, {}, 'x'.repeat(2_000), / 431 /],
  ['fieldCount', { limits: { fieldCount: 8 } }, {}, 'y\r\nz: 1'.repeat(9), / 431 /],
  ['underscores', { underscoresInHeaders: true }, {}, 'y\r\nmy_own: 1', /"my_own"/],
  ['no underscores', {}, { underscoresInHeaders: true }, 'y\r\nmy_own: 1', /200 (?![^]*"my_own")/],
  ['trusting', { trustForwarded: true }, {}, 'y\r\nX-Forwarded-Proto: gopher', /"gopher"/],
])('a setting applies to open connections: %s', async (_, after, before, field, expected) => {
  await using bench = await TestBench.start(before);
  await bench.addHttp((request, response) => response.end(JSON.stringify(request.headers)));
  const client = await RawClient.connect(bench.port);
  const request = GET.replace('a\r\n', `a\r\nx: ${field}\r\n`);
  client.send(request);
  await client.untilText('}');
  expect(client.text).not.toMatch(expected);
  client.text = '';
  bench.server.configure(settings(after));
  client.send(request);
  await client.until(() => client.text.includes('}'));
  expect(client.text).toMatch(expected);
  client.close();
});

test('timeouts and the limit of connections change under way', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  await bench.addHttp((request, response) => {
    if (request.url === '/') response.end('ok');
  });
  const client = await RawClient.connect(bench.port);
  client.send(GET);
  await client.untilText('ok');
  bench.server.configure(
    settings({ timeouts: { responseMs: 1_000 }, limits: { clientConnections: 1 } }),
  );
  const late = await RawClient.connect(bench.port).catch(() => undefined);
  await late?.until(() => late.isClosed);
  client.send(GET.replace('/ ', '/never '));
  await expect.poll(() => bench.group.targets[0]?.inFlight, WAIT).toBe(1);
  runtime.advance(2_000);
  await client.untilText(' 504 ');
  client.close();
});

test('the budget of retries is not refilled by a change of something else', async () => {
  const limits = { retryReserve: 1, retryRatio: 0 };
  await using bench = await TestBench.start({ limits });
  await bench.addTcp((socket) => socket.on('data', () => socket.destroy()));
  await bench.addTcp((socket) => socket.on('data', () => socket.destroy()));
  const retriesOfOne = async () => {
    const before = bench.server.counters.retries;
    await RawClient.exchange(bench.port, GET.replace('a\r\n', 'a\r\nConnection: close\r\n'));
    return bench.server.counters.retries - before;
  };
  expect(await retriesOfOne()).toBe(1);
  bench.server.configure(settings({ limits, timeouts: { responseMs: 1_000 } }));
  expect(await retriesOfOne()).toBe(0);
  bench.server.configure(settings({ limits: { ...limits, retryReserve: 2 } }));
  expect(await retriesOfOne()).toBe(1);
});
