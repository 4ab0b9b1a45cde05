import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { FakeSendQueues } from '../testing/fake-send-queues.ts';
import { ManualClock } from '@rollcall/runtime/testing';
import { RawClient } from '../testing/raw-client.ts';
import { openClient as openSocket } from '../testing/tls-under-test.ts';
import { TestBench } from '../testing/test-bench.ts';

const WAIT = { timeout: 30_000 };
const BIG = 50_000_000;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

async function start() {
  const runtime = new ManualClock();
  const queues = new FakeSendQueues();
  const bench = await TestBench.start({ runtime, sendQueues: queues });
  onTestFinished(() => bench[Symbol.asyncDispose]());
  /** Time in which every look is answered before the next is due. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      runtime.advance(1_000);
      await new Promise(setImmediate);
    }
  };
  let length = 2_000_000;
  const shrink = () => {
    queues.lengthOf = () => (length -= 100);
  };
  const stop = () => {
    queues.lengthOf = () => length;
  };
  /** Until somebody was written to who does not take it. */
  const blocked = () =>
    expect
      .poll(async () => {
        await pass(1_000);
        return queues.looks;
      }, WAIT)
      .toBeGreaterThan(0);
  shrink();
  return { bench, queues, pass, shrink, stop, blocked };
}

async function openClient(bench: TestBench): Promise<RawClient> {
  const client = await RawClient.connect(bench.port);
  onTestFinished(() => client.close());
  return client;
}

/** A target that reads nothing after a head, and says this first. */
function deaf(bench: TestBench, greeting: string): Promise<void> {
  return bench.addTcp((socket: Socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.write(greeting, 'latin1');
    });
  });
}

test('a slow client is served to the end, one that takes nothing is cut off', async () => {
  const { bench, pass, stop, blocked } = await start();
  await bench.addHttp((_, response) => response.end(Buffer.alloc(BIG)));
  const client = await openClient(bench);
  client.socket.pause();
  client.send(GET);
  await blocked();
  await pass(600_000);
  expect(bench.recorder.responses).toEqual([]);
  stop();
  await pass(29_000);
  expect(bench.recorder.responses).toEqual([]);
  await pass(31_000);
  await expect.poll(() => bench.recorder.responses.length, WAIT).toBe(1);
  expect(bench.recorder.responses[0]).toMatchObject({ status: 499, reason: 'client_closed' });
  expect(bench.recorder.results).toMatchObject([{ outcome: 'cancelled' }]);
  expect(bench.group.targets[0]!).toMatchObject({ inFlight: 0, counters: { failures: 0 } });
});

test('where the system does not tell, a client that takes nothing gets ten times as long', async () => {
  const { bench, queues, pass } = await start();
  queues.lengthOf = () => -1;
  await bench.addHttp((_, response) => response.end(Buffer.alloc(BIG)));
  const client = await openClient(bench);
  client.socket.pause();
  client.send(GET);
  // The clock here is faster than the bytes: until the system takes no more of them.
  let before = 0;
  const isFull = () => {
    const { responseBytes } = bench.server.counters;
    const isSame = responseBytes === before;
    before = responseBytes;
    return isSame && responseBytes > 100_000;
  };
  await expect.poll(isFull, WAIT).toBe(true);
  await pass(250_000);
  expect(bench.recorder.responses).toEqual([]);
  await pass(100_000);
  await expect.poll(() => bench.recorder.responses.length, WAIT).toBe(1);
});

test('a target that reads slowly is not to blame, one that reads nothing is', async () => {
  const { bench, pass, stop, blocked } = await start();
  await deaf(bench, '');
  const client = await openClient(bench);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${BIG}\r\n\r\n`);
  client.socket.write(Buffer.alloc(BIG));
  await blocked();
  await pass(600_000);
  expect(bench.recorder.results).toEqual([]);
  stop();
  await pass(60_000);
  await client.untilText('HTTP/1.1 504 ');
  expect(bench.recorder.results).toMatchObject([{ outcome: 'timed_out' }]);
});

test('the time for an answer begins when the target has the request', async () => {
  const { bench, queues, pass } = await start();
  await deaf(bench, '');
  const client = await openClient(bench);
  const size = 100_000;
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
  await expect.poll(() => bench.server.counters.requestBytes, WAIT).toBeGreaterThan(size);
  await pass(300_000);
  expect(bench.recorder.results).toEqual([]);
  queues.lengthOf = () => 0;
  await pass(45_000);
  expect(bench.recorder.results).toEqual([]);
  await pass(30_000);
  await client.untilText('HTTP/1.1 504 ');
});

test.each([['client'], ['target']])('a tunnel lives while its %s reads slowly', async (slow) => {
  const { bench, pass, stop, blocked } = await start();
  await bench.addTcp((socket) => {
    socket.once('data', () => {
      socket.write(SWITCHED);
      if (slow === 'client') socket.write(Buffer.alloc(BIG));
      else socket.pause();
    });
  });
  const client = await openClient(bench);
  client.send(UPGRADE);
  await client.untilText('\r\n\r\n');
  if (slow === 'client') client.socket.pause();
  else client.socket.write(Buffer.alloc(BIG));
  await blocked();
  await pass(1_500_000);
  expect(bench.recorder.responses).toEqual([]);
  stop();
  await pass(60_000);
  await expect.poll(() => bench.recorder.responses.length, WAIT).toBe(1);
});

test('a silent tunnel lives on while what was sent is still being taken', async () => {
  const { bench, queues, pass } = await start();
  await bench.addTcp((socket) => void socket.once('data', () => socket.write(SWITCHED)));
  const client = await openClient(bench);
  client.send(UPGRADE);
  await client.untilText('\r\n\r\n');
  await pass(2_000_000);
  expect(bench.recorder.responses).toEqual([]);
  queues.lengthOf = () => 0;
  await pass(590_000);
  expect(bench.recorder.responses).toEqual([]);
  await pass(30_000);
  await expect.poll(() => bench.recorder.responses.length, WAIT).toBe(1);
});

test('a client that half-closed gets an answer however long it reads it', async () => {
  const { bench, pass, blocked } = await start();
  await bench.addHttp((_, response) => response.end(Buffer.alloc(BIG)));
  const client = await openClient(bench);
  client.socket.pause();
  client.send(GET);
  client.socket.end();
  await blocked();
  await pass(120_000);
  expect(bench.recorder.responses).toEqual([]);
  client.socket.on('error', () => {});
  client.socket.resume();
  await expect.poll(() => client.socket.bytesRead, WAIT).toBeGreaterThan(BIG);
});

test('a target that answers while it reads is not silent while the client still sends', async () => {
  const { bench, pass } = await start();
  await bench.addTcp((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no'));
    socket.on('data', (bytes) => bytes.includes('!') && socket.write('k'));
  });
  const client = await openClient(bench);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
  await client.untilText('\r\n\r\no');
  for (const byte of '12345678') {
    const before = bench.server.counters.requestBytes;
    client.send(byte);
    await expect.poll(() => bench.server.counters.requestBytes, WAIT).toBe(before + 1);
    await pass(20_000);
  }
  client.send('!');
  await client.untilText('\r\n\r\nok');
});

test('on real queues: a steady reader outlives the bound, one that stops does not', async () => {
  await using bench = await TestBench.start({ timeouts: { writeStallMs: 1_000 } });
  await bench.addHttp((_, response) => response.end(Buffer.alloc(BIG)));
  const client = openSocket(bench.port);
  client.on('error', () => {});
  client.on('readable', () => {});
  client.write(GET);
  const reading = setInterval(() => client.read(50_000), 100);
  const begun = performance.now();
  await expect.poll(() => performance.now() - begun, WAIT).toBeGreaterThan(4_000);
  expect(bench.recorder.responses).toEqual([]);
  clearInterval(reading);
  await expect.poll(() => bench.recorder.responses.length, WAIT).toBe(1);
  expect(bench.recorder.responses[0]).toMatchObject({ status: 499 });
  client.destroy();
});
