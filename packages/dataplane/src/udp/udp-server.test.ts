import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { DgramDatagrams } from '../io/dgram-datagrams.ts';
import type { PortService } from '../model/port-service.ts';
import { ManualClock } from '@rollcall/runtime/testing';
import { createTarget, TargetList } from '../testing/target-list.ts';
import { ConnectRecorder } from '../testing/tcp-bench.ts';
import { UDP_OPTIONS, type UdpOptions } from './udp-options.ts';
import { UdpServer } from './udp-server.ts';

const WAIT = { timeout: 30_000 };

async function socketOn(address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  onTestFinished(() => {
    try {
      socket.close();
    } catch {
      // A test may have closed it.
    }
  });
  return socket;
}

/** Answers with its name, the number of the sender's port and what it got. */
async function echo(name: string) {
  const socket = await socketOn();
  socket.on('message', (bytes, { port, address }) =>
    socket.send(`${name} ${port} ${bytes.toString()}`, port, address),
  );
  return { socket, target: createTarget(socket.address().port, name) };
}

/** A caller that keeps what it hears and from where. */
async function caller(port: number) {
  const socket = await socketOn();
  const heard: string[] = [];
  const from: string[] = [];
  socket.on('message', (bytes, { address, port: source }) => {
    heard.push(bytes.toString());
    from.push(`${address}:${source}`);
  });
  const say = (text: string): void => socket.send(text, port, '127.96.1.1');
  const ask = async (text: string): Promise<string> => {
    const count = heard.length;
    say(text);
    await expect.poll(() => heard.length, WAIT).toBeGreaterThan(count);
    return heard.at(-1)!;
  };
  return { ask, say, heard, from };
}

async function start(options: Partial<UdpOptions> = {}) {
  const runtime = new ManualClock();
  const group = new TargetList([]);
  const observer = new ConnectRecorder();
  const place: { service: PortService } = { service: { group, observer } };
  const server = new UdpServer(
    { ...UDP_OPTIONS, ...options },
    { datagrams: new DgramDatagrams(), clock: runtime },
  );
  onTestFinished(() => server.close());
  const listener = await server.listen({ host: '127.96.1.1', port: 0 }, place);
  return { runtime, group, observer, place, server, port: listener.address.port, listener };
}

const name = (reply: string) => reply.split(' ')[0];
const sourcePort = (reply: string) => reply.split(' ')[1];

test('a target that is the listener itself gets nothing, instead of going round', async () => {
  const { server, group, port, observer } = await start();
  group.targets.push({ ...createTarget(port, 'itself'), host: '127.96.1.1' });
  const { say } = await caller(port);
  say('round');
  await expect.poll(() => observer.refused, WAIT).toEqual(['no_target']);
  expect(server.counters).toMatchObject({ datagramsFromClients: 1, dropped: 1, flows: 0 });
});

test('a flow keeps its target and its port, and replies come from the bound address', async () => {
  const { group, port, server } = await start();
  for (const id of ['a', 'b']) group.targets.push((await echo(id)).target);
  const first = await caller(port);
  const second = await caller(port);
  const replies = [await first.ask('1'), await first.ask('2'), await first.ask('3')];
  expect(new Set(replies.map(name)).size).toBe(1);
  expect(new Set(replies.map(sourcePort)).size).toBe(1);
  expect(replies.map((reply) => reply.split(' ')[2])).toEqual(['1', '2', '3']);
  expect(name(await second.ask('x'))).not.toBe(name(replies[0]!));
  expect(new Set(first.from)).toEqual(new Set([`127.96.1.1:${port}`]));
  expect(server.counters).toMatchObject({ flows: 2, flowsStarted: 2, datagramsToClients: 4 });
});

test('a refused datagram sends the next one elsewhere', async () => {
  const { group, port, observer } = await start();
  const gone = await echo('gone');
  const alive = await echo('alive');
  // Only now, so that the other is not given its port.
  gone.socket.close();
  group.targets = [gone.target, alive.target];
  const one = await caller(port);
  one.say('lost');
  await expect.poll(() => observer.failed, WAIT).toEqual(['gone ECONNREFUSED']);
  expect(name(await one.ask('again'))).toBe('alive');
  expect(gone.target).toMatchObject({ inFlight: 0, counters: { connectFailures: 1 } });
  expect(observer.connected).toEqual(['alive']);
});

test('a flow whose target has left goes elsewhere with its next datagram', async () => {
  const { group, port, place } = await start();
  const old = await echo('old');
  const fresh = await echo('fresh');
  group.targets = [old.target];
  const one = await caller(port);
  expect(name(await one.ask('1'))).toBe('old');
  const next = new TargetList([fresh.target]);
  const snapshot = {
    pick: () => fresh.target,
    explainNone: () => next.explainNone(),
    holds: (target: unknown) => target === fresh.target,
  };
  place.service = { ...place.service, group: { name: 'next', snapshot: () => snapshot } };
  expect(name(await one.ask('2'))).toBe('fresh');
  expect(old.target.inFlight).toBe(0);
});

test('silent flows end, busy ones stay', async () => {
  const { group, port, runtime, server } = await start({ idleMs: 10_000 });
  group.targets.push((await echo('a')).target);
  const busy = await caller(port);
  const silent = await caller(port);
  const before = await busy.ask('1');
  await silent.ask('1');
  for (let i = 0; i < 3; i++) {
    runtime.advance(6_000);
    await busy.ask('again');
  }
  expect(server.counters.flows).toBe(1);
  expect(sourcePort(await busy.ask('last'))).toBe(sourcePort(before));
  expect(group.targets[0]!.inFlight).toBe(1);
});

test('beyond the limit a silent flow makes room; among busy ones the newcomer is dropped', async () => {
  const { group, port, runtime, server, observer } = await start({ flows: 2 });
  group.targets.push((await echo('a')).target);
  const [one, two, three] = [await caller(port), await caller(port), await caller(port)];
  await one.ask('1');
  await two.ask('1');
  three.say('dropped');
  await expect.poll(() => observer.refused, WAIT).toEqual(['limit']);
  runtime.advance(1_000);
  await two.ask('2');
  await three.ask('now');
  expect(server.counters).toMatchObject({ flows: 2, flowsStarted: 3, dropped: 1 });
});

test('no target, or not admitted: dropped and counted, and nothing is kept', async () => {
  const { port, server, place, observer } = await start();
  const one = await caller(port);
  one.say('x');
  await expect.poll(() => observer.refused, WAIT).toEqual(['no_target']);
  place.service = { ...place.service, admits: () => false };
  one.say('x');
  await expect.poll(() => observer.refused, WAIT).toEqual(['no_target', 'denied']);
  expect(server.counters).toMatchObject({ flows: 0, dropped: 2 });
});

test('an address in use is the error of the system; a closed listener gives it back', async () => {
  const { server, place, port, listener } = await start();
  const address = { host: '127.96.1.1', port };
  await expect(server.listen(address, place)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await listener.close();
  await listener.close();
  const again = await server.listen(address, place);
  expect(again.address.port).toBe(port);
});

test('a target by name: what comes before it is known is kept', async () => {
  const { group, port } = await start();
  const { target } = await echo('named');
  group.targets = [{ ...target, host: 'localhost' }];
  const one = await caller(port);
  one.say('1');
  one.say('2');
  await expect.poll(() => one.heard.map((reply) => reply.split(' ')[2]), WAIT).toEqual(['1', '2']);
});
