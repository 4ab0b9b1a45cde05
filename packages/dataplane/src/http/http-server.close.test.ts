import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { RawClient } from '../testing/raw-client.ts';
import { openClient } from '../testing/tls-under-test.ts';
import { TestBench } from '../testing/test-bench.ts';

const WAIT = { timeout: 30_000 };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('closing lets requests finish, says so, and takes no more', async () => {
  await using bench = await TestBench.start();
  const waiting: ServerResponse[] = [];
  await bench.addHttp((_, response) => {
    waiting.push(response);
  });
  const client = await RawClient.connect(bench.port);
  client.send(GET);
  await expect.poll(() => waiting.length, { timeout: 30_000 }).toBe(1);
  const closed = bench.server.close(60_000);
  await expect
    .poll(() => RawClient.connect(bench.port).then((late) => late.close(), String), WAIT)
    .toMatch('ECONNREFUSED');
  expect(bench.server.counters.requestsInFlight).toBe(1);
  waiting[0]?.end('finished');
  await client.until(() => client.isEnded);
  expect(client.text).toContain('Connection: close\r\n');
  expect(client.text).toContain('finished');
  client.close();
  await closed;
});

test('a request already on its way on an unused connection is still answered', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  await bench.addHttp((_, response) => response.end('ok'));
  const busy = await RawClient.connect(bench.port);
  const idle = await RawClient.connect(bench.port);
  busy.send(GET);
  await busy.untilText('ok');
  const closed = bench.server.close(60_000);
  busy.send(GET);
  await busy.until(() => busy.isEnded);
  expect(busy.text.match(/ok/g)).toHaveLength(2);
  expect(busy.text.match(/Connection: close/g)).toHaveLength(1);
  expect(idle.isEnded).toBe(false);
  runtime.advance(1_000);
  await idle.until(() => idle.isEnded);
  for (const client of [busy, idle]) client.close();
  await closed;
});

test('a client that the system has connected is served, however many come before it', async () => {
  await using bench = await TestBench.start();
  await bench.addHttp((_, response) => response.end('ok'));
  const answers = Array.from({ length: 50 }, () => requestAtOnce(bench.port));
  // Now each has its place with the system, and this process has not looked yet.
  await new Promise((resolve) => process.nextTick(resolve));
  const closed = bench.server.close(60_000);
  for (const answer of await Promise.all(answers)) {
    expect(answer).toMatch(/^HTTP\/1.1 200 [^]*Connection: close[^]*ok$/);
  }
  await closed;
});

test('a client that came last and says nothing does not hold up the end', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  const silent = openClient(bench.port).on('error', () => {});
  await new Promise((resolve) => process.nextTick(resolve));
  const closed = bench.server.close(60_000);
  await expect.poll(() => bench.server.counters.connectionsOpen, WAIT).toBe(1);
  runtime.advance(1_000);
  await closed;
  silent.destroy();
});

test('what does not finish within the grace is cut off', async () => {
  const runtime = new ManualClock();
  await using bench = await TestBench.start({ runtime });
  await bench.addHttp(() => {});
  const client = await RawClient.connect(bench.port);
  client.send(GET);
  await expect.poll(() => bench.group.targets[0]?.inFlight, { timeout: 30_000 }).toBe(1);
  const closed = bench.server.close(5_000);
  runtime.advance(4_000);
  expect(client.isClosed).toBe(false);
  runtime.advance(2_000);
  await closed;
  await client.until(() => client.isClosed);
});

test('what came while the process was held up is read before anybody is out of time', async () => {
  const clientKeepAliveMs = 300;
  await using bench = await TestBench.start({ timeouts: { clientKeepAliveMs } });
  await bench.addHttp((_, response) => response.end('ok'));
  const client = await RawClient.connect(bench.port);
  client.send(GET);
  await client.untilText('ok');
  client.send(GET);
  // Nothing else runs in this thread meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * clientKeepAliveMs);
  await client.until(() => client.isEnded);
  expect(client.text.match(/ok/g)).toHaveLength(2);
  client.close();
});

test('connections beyond the limit are closed on arrival', async () => {
  await using bench = await TestBench.start({ limits: { clientConnections: 1 } });
  await bench.addHttp((_, response) => response.end('ok'));
  const first = await RawClient.connect(bench.port);
  await expect.poll(() => bench.server.counters.connectionsOpen, { timeout: 30_000 }).toBe(1);
  const second = await RawClient.connect(bench.port).catch(() => undefined);
  await second?.until(() => second.isClosed);
  first.send(GET);
  await first.untilText('ok');
  expect(bench.server.counters.connectionsRefused).toBe(1);
  first.close();
});

/** What is answered to a client that asks as soon as it is connected; or why it was not. */
function requestAtOnce(port: number): Promise<string> {
  const socket = openClient(port);
  socket.write(GET);
  return text(socket).catch(String);
}
