import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import type { Address } from '../testing/dns-client.ts';
import { decoded, queryBytes } from '../testing/packets.ts';
import { createCounters } from '../counting/counters.ts';
import type { Responder } from './responder.ts';
import { MessageSplitter, framed } from '../wire/tcp-framing.ts';
import { TcpListener } from './tcp-listener.ts';

const WAIT = { timeout: 30_000 };
const QUERY = queryBytes('nginx', 'A', { id: 7 });

/** Answers with the query itself, at once or when told to. */
class EchoResponder {
  isHolding = false;
  readonly held: (() => void)[] = [];

  respond(message: Buffer, _arrival: unknown, reply: (answer: Buffer) => void): boolean {
    const bytes = Buffer.from(message);
    if (this.isHolding) this.held.push(() => reply(bytes));
    else reply(bytes);
    return true;
  }
}

/** A listener with a clock of its own. */
async function start(maxConnections = 100) {
  const clock = new ManualClock();
  const counters = createCounters();
  const responder = new EchoResponder();
  const parts = {
    responder: responder as unknown as Responder,
    counters,
    maxConnections,
    idleMs: 60_000,
    clock,
  };
  const listener = await TcpListener.open(parts, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => listener.close());
  const address: Address = { host: '127.0.0.1', port: listener.port };
  const pass = (ms: number): void => clock.advance(ms);
  return { counters, responder, address, pass };
}

async function open(address: Address, accepted?: () => number): Promise<Socket> {
  const before = accepted?.() ?? 0;
  const socket = connect({ ...address, noDelay: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (accepted !== undefined) await expect.poll(accepted, WAIT).toBe(before + 1);
  return socket;
}

async function ask(socket: Socket): Promise<Buffer> {
  const splitter = new MessageSplitter();
  socket.write(framed(QUERY));
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    splitter.push(chunk);
    const answer = splitter.next();
    if (answer !== undefined) return answer;
  }
}

test.each([
  ['sends nothing', []],
  ['drips its first query', [framed(QUERY).subarray(0, 1), framed(QUERY).subarray(1, 5)]],
])('who %s has the time of one message', async (_name, pieces) => {
  const { counters, address, pass } = await start();
  const socket = await open(address);
  await expect.poll(() => counters.tcpConnections, WAIT).toBe(1);
  for (const piece of pieces) {
    socket.write(piece);
    pass(20_000);
  }
  const left = 59_000 - 20_000 * pieces.length;
  pass(left);
  expect(counters.tcpConnections).toBe(1);
  pass(1_000);
  await expect.poll(() => counters.tcpConnections, WAIT).toBe(0);
});

test('a later message has its own time, and silence between messages is not counted', async () => {
  const { counters, address, pass } = await start();
  const socket = await open(address);
  await ask(socket);
  pass(200_000);
  expect(counters.tcpConnections).toBe(1);
  await ask(socket);
  expect(counters.tcpQueries).toBe(2);
  socket.write(framed(QUERY).subarray(0, 4));
  await expect
    .poll(() => {
      pass(61_000);
      return counters.tcpConnections;
    }, WAIT)
    .toBe(0);
});

test('when it is full, who completed no query makes room, the oldest first', async () => {
  const { counters, address } = await start(3);
  const accepted = () => counters.tcpConnectionsAccepted;
  const good = await open(address, accepted);
  await ask(good);
  const silent = await open(address, accepted);
  const dripping = await open(address, accepted);
  dripping.write('\0');
  const closed = once(silent, 'close');
  silent.resume();
  const next = await open(address, accepted);
  await closed;
  expect(decoded(await ask(next)).id).toBe(7);
  expect(decoded(await ask(good)).id).toBe(7);
  for (let i = 0; i < 20; i++) {
    const flood = await open(address, accepted);
    flood.resume();
  }
  expect(decoded(await ask(good)).id).toBe(7);
  expect(counters.tcpConnectionsRefused).toBe(0);
  expect(counters.tcpConnections).toBe(3);
});

test('an idle one goes next; one whose answer is under way stays', async () => {
  const { counters, responder, address, pass } = await start(2);
  const accepted = () => counters.tcpConnectionsAccepted;
  const idle = await open(address, accepted);
  await ask(idle);
  pass(1_000);
  const busy = await open(address, accepted);
  responder.isHolding = true;
  const answer = ask(busy);
  await expect.poll(() => responder.held.length, WAIT).toBe(1);
  const closed = once(idle, 'close');
  idle.resume();
  const third = await open(address, accepted);
  await closed;
  const waiting = ask(third);
  await expect.poll(() => responder.held.length, WAIT).toBe(2);
  const refused = await open(address);
  refused.resume();
  await once(refused, 'close');
  expect(counters.tcpConnectionsRefused).toBe(1);
  for (const reply of responder.held) reply();
  expect(decoded(await answer).id).toBe(7);
  expect(decoded(await waiting).id).toBe(7);
});

test('a FIN behind a query that waits for others does not cost its answer', async () => {
  const { counters, responder, address } = await start();
  responder.isHolding = true;
  const socket = await open(address);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.end(Buffer.concat([framed(QUERY), framed(QUERY), Buffer.from([0])]));
  await expect.poll(() => responder.held.length, WAIT).toBe(2);
  const ended = once(socket, 'end');
  for (const reply of responder.held) setImmediate(reply);
  await ended;
  expect(Buffer.concat(chunks)).toEqual(Buffer.concat([framed(QUERY), framed(QUERY)]));
  await expect.poll(() => counters.tcpConnections, WAIT).toBe(0);
});
