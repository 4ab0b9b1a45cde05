import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ChaosProxy } from './chaos-proxy.ts';
import { until } from './until.ts';

let server: Server;
let proxy: ChaosProxy;
let ends: string[];

/** A server that says back what it hears. */
beforeEach(async () => {
  // Of this test's server alone: sockets of the one before may end later.
  const own: string[] = [];
  ends = own;
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => own.push(code ?? ''));
    socket.on('end', () => {
      own.push('end');
      socket.end();
    });
    socket.on('data', (chunk) => socket.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await ChaosProxy.start((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy.close();
  server.close();
});

class Client {
  readonly socket: Socket;
  heard = '';
  end = '';

  constructor() {
    this.socket = connect(proxy.port, '127.0.0.1');
    this.socket.on('data', (chunk) => (this.heard += chunk.toString()));
    this.socket.on('end', () => (this.end = 'end'));
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => (this.end = code ?? ''));
  }
}

/** Goes to the server and back beside the proxy, twice: what the proxy let through before has arrived by then. */
async function bystander(): Promise<void> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  for (let i = 0; i < 2; i++) {
    socket.write('?');
    await once(socket, 'data');
  }
  socket.destroy();
}

test('fair weather: bytes and ends go both ways', async () => {
  const client = new Client();
  client.socket.write('hello');
  await until(() => client.heard === 'hello');
  client.socket.end();
  await until(() => client.end === 'end' && ends.includes('end'));
  await until(() => proxy.size === 0);
});

test('a delay holds bytes back, in order', async () => {
  proxy.set({ delayMs: 40 });
  const client = new Client();
  const beganMs = performance.now();
  for (const letter of 'abcdef') client.socket.write(letter);
  await until(() => client.heard === 'abcdef');
  // There and back.
  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(78);
});

test('a throttle carries no more than its rate', async () => {
  proxy.set({ bytesPerSecond: 1_000_000 });
  const client = new Client();
  const beganMs = performance.now();
  client.socket.write(Buffer.alloc(200_000, 'x'));
  await until(() => client.heard.length === 200_000);
  expect(performance.now() - beganMs).toBeGreaterThanOrEqual(190);
});

test('lost one way: the server hears and is not heard; healed, the connection is reset', async () => {
  const client = new Client();
  client.socket.write('a');
  await until(() => client.heard === 'a');
  proxy.set({ lost: ['down'] });
  client.socket.write('b');
  client.socket.end();
  await until(() => ends.includes('end'));
  expect(client).toMatchObject({ heard: 'a', end: '' });
  proxy.heal();
  await until(() => client.end === 'ECONNRESET' || client.socket.destroyed);
});

test('lost both ways, neither side learns that the other went', async () => {
  const client = new Client();
  client.socket.write('a');
  await until(() => client.heard === 'a');
  proxy.set({ lost: ['up', 'down'] });
  client.socket.destroy();
  const other = new Client();
  proxy.set({ lost: ['up', 'down'] });
  other.socket.write('x');
  await until(() => other.socket.bytesWritten > 0);
  await bystander();
  expect(ends).toEqual([]);
  expect(other.heard).toBe('');
});

test('cut: by reset, or politely', async () => {
  const [one, two] = [new Client(), new Client()];
  for (const client of [one, two]) client.socket.write('a');
  await until(() => one.heard === 'a' && two.heard === 'a');
  proxy.cut('end');
  await until(() => one.end === 'end' && two.end === 'end');
  const three = new Client();
  three.socket.write('a');
  await until(() => three.heard === 'a');
  proxy.cut();
  await until(() => three.end === 'ECONNRESET');
  expect(ends.filter((end) => end === 'end')).toHaveLength(2);
});

test('new connections may be reset, or taken without a word', async () => {
  proxy.set({ connects: 'reset' });
  const refused = new Client();
  await until(() => refused.end === 'ECONNRESET');
  proxy.set({ connects: 'silent' });
  const silent = new Client();
  silent.socket.write('a');
  await until(() => silent.socket.bytesWritten > 0);
  await bystander();
  expect(silent).toMatchObject({ heard: '', end: '' });
});
