// The SDK as users install it, on the JavaScript host that runs this file: every way to register, look up and call. It
// needs no test runner, so that it runs the same everywhere. ROLLCALL_URL is a registry. Prints a line for each part,
// a last one for all, and ends by itself: nothing of the SDK keeps the process.
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Registration,
  Rollcall,
  serveInstance,
  serveUntilDrained,
} from '@rollcall/client-sdk';
import { installGlobalFetch } from '@rollcall/client-sdk/fetch';
import { createHttpAgent } from '@rollcall/client-sdk/http';
import { RegistrationClient } from '@rollcall/client-sdk/registration';
import { createDispatcher } from '@rollcall/client-sdk/undici';
import { Agent, fetch as undiciFetch, request } from 'undici';

const url = process.env['ROLLCALL_URL'] ?? 'http://127.0.0.1:7400';
const rollcall = new Rollcall({ url, calls: { tryTimeoutMs: 5_000 } });
const orders = rollcall.service('orders');

/** Longest time of one part, in ms. */
const LONGEST_MS = 30_000;
let parts = 0;

async function part(name: string, work: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('it takes too long')), LONGEST_MS);
  try {
    await Promise.race([work(), late.promise]);
    parts++;
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`failed ${name}`);
    console.error(error);
    process.exit(1);
  } finally {
    clearTimeout(timer);
  }
}

async function startServer(name: string): Promise<Server> {
  const server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Uint8Array) => (body += new TextDecoder().decode(chunk)));
    incoming.on('end', () => response.end(`${incoming.method} ${incoming.url} ${body}, ${name}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const ids = () =>
  orders
    .endpoints()
    .map(({ instance }) => instance)
    .toSorted();

/** Resolves once the picture is as expected; `service.on` tells of each change. */
async function seen(expected: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (ids().join() === expected.join()) resolve();
  };
  const off = orders.on('change', look);
  look();
  await promise;
  off();
}

const first = await startServer('a');
let registration: Registration;

await part('register', async () => {
  await rejects(rollcall.register({ service: 'orders', prot: 1 } as never), /did you mean port/);
  registration = await rollcall.register({ service: 'orders', id: 'a', port: portOf(first) });
  equal(registration.state, 'held');
  await registration.update({ labels: { version: '2' } });
});

await part('look up and watch', async () => {
  await orders.ready({ timeoutMs: 10_000 });
  await seen(['a']);
  const client = new RegistrationClient({ url });
  const second = await client.register({ service: 'orders', id: 'b', port: portOf(first) });
  await seen(['a', 'b']);
  await second.deregister();
  await seen(['a']);
  await client.close();
  ok(orders.ageMs() < 15_000);
});

await part('request', async () => {
  const reply = await orders.request('/one');
  equal(await reply.body.text(), 'GET /one , a');
  const sent = await orders.request('/two', { method: 'POST', body: 'x' });
  equal(await sent.body.text(), 'POST /two x, a');
  await rejects(orders.request('/', { endpoint: { labels: { version: '3' } } }), {
    code: 'no_endpoints',
  });
});

await part('fetch', async () => {
  const init = { method: 'POST', body: 'y' };
  equal(await (await orders.fetch('/three', init)).text(), 'POST /three y, a');
  const reply = await rollcall.fetch(new URL('http://orders.rollcall/four'));
  deepEqual([reply.status, await reply.text()], [200, 'GET /four , a']);
  await rejects(orders.fetch('http://elsewhere.example/'), { code: 'invalid_host' });
  const putBack = installGlobalFetch(rollcall);
  equal(await (await fetch('http://orders.rollcall/five')).text(), 'GET /five , a');
  putBack();
});

await part('undici', async () => {
  const dispatcher = new Agent().compose(rollcall.interceptor());
  const { body } = await request('http://orders.rollcall/six', { dispatcher });
  equal(await body.text(), 'GET /six , a');
  const reply = await undiciFetch('http://orders.default.rollcall/seven', { dispatcher });
  equal(await reply.text(), 'GET /seven , a');
  await dispatcher.close();
  const own = createDispatcher(rollcall);
  const stream = await request('http://orders.rollcall/own', { dispatcher: own });
  equal(await stream.body.text(), 'GET /own , a');
});

await part('node:http', async () => {
  const agent = createHttpAgent(rollcall);
  const [answer] = (await once(get('http://orders.rollcall/eight', { agent }), 'response')) as [
    IncomingMessage,
  ];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  equal(text, 'GET /eight , a');
  agent.destroy();
});

await part('an instance that cannot be reached', async () => {
  const gone = await startServer('c');
  const other = await rollcall.register({ service: 'orders', id: 'c', port: portOf(gone) });
  gone.close();
  await seen(['a', 'c']);
  for (let i = 0; i < 20; i++) equal((await orders.request('/')).statusCode, 200);
  await other.deregister();
});

await part('leave without failing a call', async () => {
  const second = await startServer('d');
  const leaving = new AbortController();
  const options = { service: 'orders', id: 'd', drain: { signals: false, signal: leaving.signal } };
  const instance = await serveInstance(rollcall, second, options);
  await seen(['a', 'd']);
  const over = new AbortController();
  const load = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) match(await (await orders.request('/')).body.text(), /^GET/);
  });
  const before = orders.stats().calls;
  while (orders.stats().calls < before + 100) await new Promise(setImmediate);
  leaving.abort();
  deepEqual(await instance.drained, { cutOff: 0, isDeregistered: true });
  await seen(['a']);
  over.abort();
  await Promise.all(load);
  ok(!second.listening);
});

await part('serve until drained', async () => {
  const served = serveUntilDrained(first, registration);
  await registration.drain();
  deepEqual(await served, { cutOff: 0, isDeregistered: true });
  await seen([]);
  equal(orders.pick().kind, 'none');
});

await part('close', async () => {
  await rollcall.close();
  await rejects(orders.request('/'), { code: 'closed' });
});
console.log(`all ${parts} parts`);
