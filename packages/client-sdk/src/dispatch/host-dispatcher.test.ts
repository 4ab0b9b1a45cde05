import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Dispatcher, fetch, request, WebSocket } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { startBackend } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { serveOrders } from '../testing/served.ts';
import { createDispatcher, createInterceptor } from './index.ts';

const context = new TestContext();
afterEach(() => context.end());

async function open() {
  const backends = await Promise.all(['a', 'b', 'c'].map((name) => startBackend(name)));
  for (const backend of backends) context.onEnd(() => backend.close());
  const { client } = await serveOrders(
    context,
    backends.map(({ port }) => port),
  );
  return client;
}

const URL_OF_SERVICE = 'http://orders.rollcall/';

test.each<[string, (dispatcher: Dispatcher) => Promise<string>]>([
  [
    'request of undici',
    async (dispatcher) => (await request(URL_OF_SERVICE, { dispatcher })).body.text(),
  ],
  ['fetch of undici', async (dispatcher) => (await fetch(URL_OF_SERVICE, { dispatcher })).text()],
  [
    'fetch of this process',
    async (dispatcher) => (await globalThis.fetch(URL_OF_SERVICE, { dispatcher } as object)).text(),
  ],
])('%s reaches each instance in turn', async (_, call) => {
  const dispatcher = createDispatcher(await open());
  const answers: string[] = [];
  for (let i = 0; i < 6; i++) answers.push(await call(dispatcher));
  expect(answers.map((answer) => answer[0]).join('')).toBe('abcabc');
});

test('a WebSocket of undici', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new WebSocketServer({ server });
  context.onEnd(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  sockets.on('connection', (socket) => socket.send('welcome'));
  const { client } = await serveOrders(context, [(server.address() as AddressInfo).port]);
  const dispatcher = createDispatcher(client);
  const socket = new WebSocket('ws://orders.rollcall/', { dispatcher });
  const data = await new Promise((resolve, reject) => {
    socket.addEventListener('message', (event) => resolve(event.data));
    socket.addEventListener('error', reject);
  });
  expect(data).toBe('welcome');
  socket.close();
});

test('other hosts: refused, unless there is a dispatcher for them', async () => {
  const client = await open();
  const other = await startBackend('other');
  context.onEnd(() => other.close());
  const url = `http://127.0.0.1:${other.port}/`;
  await expect(request(url, { dispatcher: createDispatcher(client) })).rejects.toMatchObject({
    code: 'invalid_host',
    message: `http://127.0.0.1:${other.port} names no service: give a dispatcher for other hosts`,
  });
  const agent = new Agent();
  context.onEnd(() => agent.destroy());
  const reply = await request(url, { dispatcher: createDispatcher(client, agent) });
  expect(await reply.body.text()).toContain('other');
});

test('composed over an agent, and closed with the client, not before', async () => {
  const client = await open();
  const agent = new Agent().compose(createInterceptor(client));
  expect((await request(URL_OF_SERVICE, { dispatcher: agent })).statusCode).toBe(200);
  const dispatcher = createDispatcher(client);
  await dispatcher.close();
  await dispatcher.destroy();
  const reply = await request(URL_OF_SERVICE, { dispatcher });
  await reply.body.dump();
  await client.close();
  await expect(request(URL_OF_SERVICE, { dispatcher })).rejects.toMatchObject({ code: 'closed' });
});

test('only for a client', () => {
  expect(() => createDispatcher(new Agent() as never)).toThrow(/expected a Rollcall/);
});
