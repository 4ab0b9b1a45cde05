import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { freePort } from '@rollcall/testkit';
import { expect, test } from 'vitest';
import { FakeSendQueues } from '../testing/fake-send-queues.ts';
import { ManualClock } from '@rollcall/runtime/testing';
import { createTarget } from '../testing/target-list.ts';
import { TcpBench, closed, listenTcp } from '../testing/tcp-bench.ts';

const WAIT = { timeout: 30_000 };

async function withTarget(bench: TcpBench, onSocket: (socket: Socket) => void) {
  const server = await listenTcp(onSocket);
  bench.ends.push(server.close);
  const target = createTarget(server.port);
  bench.group.targets.push(target);
  return { ...server, target };
}

const textOf = async (socket: Socket) => {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
};

test('bytes go both ways and an end is passed on as an end', async () => {
  await using bench = await TcpBench.start();
  const heard: string[] = [];
  const { target } = await withTarget(bench, (socket) => {
    socket.on('data', (chunk) => heard.push(String(chunk)));
    // Answers only once the client has said that it will say no more.
    socket.on('end', () => socket.end(`heard ${heard.join('')}`));
  });
  const client = await bench.connect();
  client.end('all of it');
  expect(await textOf(client)).toBe('heard all of it');
  await expect.poll(() => bench.server.counters.open, WAIT).toBe(0);
  expect(target).toMatchObject({ inFlight: 0, counters: { connections: 1, connectFailures: 0 } });
  expect(bench.server.counters).toMatchObject({ accepted: 1, bytesFromClients: 9 });
});

test('a target that says all and ends leaves the client its own direction', async () => {
  await using bench = await TcpBench.start();
  const received: string[] = [];
  await withTarget(bench, (socket) => {
    socket.end('bye');
    socket.on('data', (chunk) => received.push(String(chunk)));
  });
  const client = await bench.connect();
  expect(await textOf(client)).toBe('bye');
  client.end('after your end');
  await expect.poll(() => received.join(''), WAIT).toBe('after your end');
});

test('a reset is carried across as a reset, either way', async () => {
  await using bench = await TcpBench.start();
  const codes: (string | undefined)[] = [];
  const { sockets, target } = await withTarget(bench, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => codes.push(error.code));
    socket.write('hello');
  });
  const first = await bench.connect();
  await once(first, 'data');
  first.resetAndDestroy();
  await expect.poll(() => codes, WAIT).toEqual(['ECONNRESET']);

  const second = await bench.connect();
  await once(second, 'data');
  const failed = once(second, 'error').catch((error: unknown) => [error]);
  [...sockets].at(-1)!.resetAndDestroy();
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  await expect.poll(() => target.inFlight, WAIT).toBe(0);
});

test('a target that cannot be connected to is replaced by another, and no byte is lost', async () => {
  await using bench = await TcpBench.start();
  bench.group.targets.push(createTarget(await freePort(), 'dead'));
  await withTarget(bench, (socket) => void socket.pipe(socket));
  for (let i = 0; i < 6; i++) {
    const client = await bench.connect();
    client.end(`number ${i}`);
    expect(await textOf(client)).toBe(`number ${i}`);
  }
  expect(bench.observer.failed).toContain('dead ECONNREFUSED');
  expect(bench.observer.connected).toHaveLength(6);
  expect(bench.group.targets[0]!).toMatchObject({ inFlight: 0, counters: { connections: 0 } });
});

test('a target that is the listener itself is passed over, instead of going round', async () => {
  await using bench = await TcpBench.start();
  bench.group.targets.push(createTarget(bench.port, 'itself'));
  await closed(bench.open());
  expect(bench.observer.failed).toEqual(['itself loop']);
  expect(bench.server.counters.accepted).toBe(1);
  await withTarget(bench, (socket) => void socket.pipe(socket));
  const client = await bench.connect();
  client.end('hello');
  expect(await textOf(client)).toBe('hello');
});

test('what this machine lacks is no fault of a target', async () => {
  await using bench = await TcpBench.start();
  const short = { ...createTarget(80, 'short'), host: 'short' };
  bench.group.targets.push(short);
  const client = bench.open();
  await closed(client);
  expect(bench.observer.failed).toEqual([]);
  expect(bench.observer.refused).toEqual(['limit']);
  expect(short).toMatchObject({ inFlight: 0, counters: { failures: 0, connectFailures: 0 } });
});

test('a target that does not answer in time is replaced by another', async () => {
  await using bench = await TcpBench.start({ connectMs: 300 });
  bench.group.targets.push({ ...createTarget(80, 'void'), host: 'void' });
  await withTarget(bench, (socket) => void socket.pipe(socket));
  for (let i = 0; i < 2; i++) {
    const client = await bench.connect();
    client.end('there');
    expect(await textOf(client)).toBe('there');
  }
  expect(bench.observer.failed[0]).toBe('void timeout');
});

test('a host that is looked up and a port that is none', async () => {
  await using bench = await TcpBench.start();
  const { target } = await withTarget(bench, (socket) => void socket.pipe(socket));
  bench.group.targets = [
    { ...createTarget(80, 'wrong'), port: 70_000 },
    { ...target, host: 'localhost' },
  ];
  const client = await bench.connect();
  client.end('named');
  expect(await textOf(client)).toBe('named');
});

test.each([
  ['no_target', async () => []],
  ['all_failed', async () => [createTarget(await freePort())]],
] as const)('without a target to connect to the client is reset: %s', async (reason, targets) => {
  await using bench = await TcpBench.start();
  bench.group.targets = [...(await targets())];
  const client = bench.open();
  const error = new Promise((resolve) => void client.once('error', resolve));
  expect(await error).toMatchObject({ code: 'ECONNRESET' });
  expect(bench.observer.refused).toEqual([reason]);
  await expect.poll(() => bench.server.counters.open, WAIT).toBe(0);
});

test('who is not admitted, and who is beyond the limit, is reset', async () => {
  await using bench = await TcpBench.start({ connections: 1 });
  await withTarget(bench, (socket) => void socket.write('hello'));
  const { service } = bench.place;
  bench.place.service = { ...service, admits: (address) => address !== '127.0.0.1' };
  const denied = bench.open();
  await closed(denied);
  bench.place.service = service;
  await expect.poll(() => bench.server.counters.open, WAIT).toBe(0);
  const first = await bench.connect();
  await once(first, 'data');
  const second = bench.open();
  await closed(second);
  expect(bench.observer.refused).toEqual(['denied', 'limit']);
  expect(first.destroyed).toBe(false);
});

test('50 MB arrive intact both ways, and a reader that pauses holds up the writer', async () => {
  await using bench = await TcpBench.start();
  await withTarget(bench, (socket) => void socket.pipe(socket));
  const client = await bench.connect();
  const sent = createHash('sha256');
  const received = createHash('sha256');
  const block = Buffer.alloc(1_048_576);
  let count = 0;
  client.pause();
  const write = async () => {
    for (let i = 0; i < 50; i++) {
      block.fill(i * 7 + 1);
      block.writeUInt32BE(i);
      const chunk = Buffer.from(block);
      sent.update(chunk);
      if (!client.write(chunk)) await once(client, 'drain');
    }
    client.end();
  };
  const writing = write();
  // Nobody reads: what is on the way is held by buffers of the system and not by the proxy.
  let before = -1;
  await expect
    .poll(
      () => {
        const now = bench.server.counters.bytesFromClients;
        const isSame = now === before && now > 0;
        before = now;
        return isSame;
      },
      { ...WAIT, interval: 200 },
    )
    .toBe(true);
  expect(bench.server.counters.bytesFromClients).toBeLessThan(45_000_000);
  client.on('data', (chunk: Buffer) => {
    received.update(chunk);
    count += chunk.length;
  });
  client.resume();
  await Promise.all([writing, once(client, 'end')]);
  expect(count).toBe(50 * 1_048_576);
  expect(received.digest('hex')).toBe(sent.digest('hex'));
});

test('silent connections are broken when there is an idle time, others stay', async () => {
  const runtime = new ManualClock();
  await using bench = await TcpBench.start({ idleMs: 5_000 }, runtime);
  await withTarget(bench, (socket) => void socket.pipe(socket));
  const silent = await bench.connect();
  const busy = await bench.connect();
  await expect.poll(() => bench.observer.connected.length, WAIT).toBe(2);
  runtime.advance(4_000);
  busy.write('x');
  await once(busy, 'data');
  runtime.advance(4_000);
  await closed(silent);
  expect(busy.destroyed).toBe(false);
});

test('a silent connection stays while what was sent is still being taken', async () => {
  const runtime = new ManualClock();
  const queues = new FakeSendQueues();
  let length = 1_000_000;
  queues.lengthOf = () => (length -= 100);
  await using bench = await TcpBench.start({ idleMs: 5_000 }, runtime, queues);
  await withTarget(bench, (socket) => void socket.pipe(socket));
  const client = await bench.connect();
  await expect.poll(() => bench.observer.connected.length, WAIT).toBe(1);
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      runtime.advance(500);
      await new Promise(setImmediate);
    }
  };
  await pass(60_000);
  expect(bench.server.counters.open).toBe(1);
  queues.lengthOf = () => 0;
  await pass(12_000);
  await closed(client);
});

test('connections on a target that left get their time and are then broken', async () => {
  const runtime = new ManualClock();
  await using bench = await TcpBench.start({}, runtime);
  const { target } = await withTarget(bench, (socket) => void socket.pipe(socket));
  const client = await bench.connect();
  await expect.poll(() => bench.observer.connected.length, WAIT).toBe(1);
  bench.server.drain(target, 10_000);
  runtime.advance(9_000);
  client.write('still here');
  await once(client, 'data');
  runtime.advance(2_000);
  await closed(client);
  expect(target.inFlight).toBe(0);
});

test('closing takes no more, lets connections finish, and breaks what takes too long', async () => {
  const runtime = new ManualClock();
  await using bench = await TcpBench.start({}, runtime);
  await withTarget(bench, (socket) => void socket.pipe(socket));
  const polite = await bench.connect();
  const slow = await bench.connect();
  await expect.poll(() => bench.observer.connected.length, WAIT).toBe(2);
  const last = connect(bench.port, '127.0.0.1');
  last.end('just in time');
  // The system has connected it by now, and this process has not looked yet.
  await new Promise((resolve) => process.nextTick(resolve));
  let isClosed = false;
  const closing = bench.server.close(5_000).then(() => (isClosed = true));
  expect(await textOf(last)).toBe('just in time');
  await expect
    .poll(() => bench.connect().then((late) => late.destroy(), String), WAIT)
    .toMatch('ECONNREFUSED');
  polite.end('last words');
  expect(await textOf(polite)).toBe('last words');
  runtime.advance(4_000);
  slow.write('more');
  await once(slow, 'data');
  expect(isClosed).toBe(false);
  runtime.advance(2_000);
  await closing;
  await closed(slow);
});

test('a client that leaves while its target is being connected to leaves nothing behind', async () => {
  await using bench = await TcpBench.start({ connectMs: 200 });
  bench.group.targets = [{ ...createTarget(80, 'void'), host: 'void' }];
  const client = await bench.connect();
  client.resetAndDestroy();
  await expect.poll(() => bench.server.counters.open, WAIT).toBe(0);
  expect(bench.group.targets[0]!.inFlight).toBe(0);
});
