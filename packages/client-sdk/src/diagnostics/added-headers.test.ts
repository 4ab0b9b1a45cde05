import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type IncomingHttpHeaders, request as nodeRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { createHttpAgent } from '../http/index.ts';
import { closedPort } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { addHeaders } from './add-headers.ts';
import type { RequestMessage } from './channels.ts';

const context = new TestContext();
afterEach(() => context.end());

function on(channel: string, act: (message: RequestMessage) => void): void {
  const listener = (message: unknown) => act(message as RequestMessage);
  subscribe(channel, listener);
  context.onEnd(() => unsubscribe(channel, listener));
}

/** A client of a dead instance and one that answers; each request that comes in is in `seen`. */
async function callers() {
  const seen: IncomingHttpHeaders[] = [];
  const alive = await backendOf(context, 'alive', (request, response) => {
    seen.push(request.headers);
    response.end('alive');
  });
  return { seen, ...(await serveOrders(context, [await closedPort(), alive.port])) };
}

test('what is put into `headers` goes with the try, however the call is made', async () => {
  const { seen, client, service } = await callers();
  on('rollcall:request:start', ({ headers }) => (headers['x-call'] = 'a'));
  on('rollcall:request:try', ({ headers, tries }) => (headers['x-try'] = `${tries}`));
  const given = { 'X-Try': 'own', 'x-own': '1' };
  await (await service.request('/', { headers: given })).body.text();
  await (await service.request('/', { method: 'POST', body: 'x', headers: given })).body.text();
  await (await service.fetch('/', { headers: given })).text();
  const agent = createHttpAgent(client);
  context.onEnd(() => agent.destroy());
  await new Promise<void>((resolve, reject) => {
    const options = { agent, headers: given };
    const sent = nodeRequest('http://orders.rollcall/x', options, (response) => {
      void text(response).then(() => resolve(), reject);
    });
    sent.on('error', reject).end();
  });
  expect(seen).toHaveLength(4);
  for (const headers of seen) expect(headers).toMatchObject({ 'x-call': 'a', 'x-own': '1' });
  // Only the first call met the dead instance before it was left out.
  expect(seen.map((headers) => headers['x-try'])).toEqual(['2', '1', '1', '1']);
});

test('a subscriber runs in the context of the caller', async () => {
  const { client, service } = await callers();
  const storage = new AsyncLocalStorage<string>();
  const stores: unknown[] = [];
  on('rollcall:request:start', () => stores.push(storage.getStore()));
  const agent = createHttpAgent(client);
  context.onEnd(() => agent.destroy());
  await storage.run('request', async () => (await service.request('/')).body.text());
  await storage.run('fetch', async () => (await service.fetch('/')).text());
  await storage.run(
    'agent',
    () =>
      new Promise((resolve) =>
        nodeRequest('http://orders.rollcall/', { agent }, (response) => {
          response.resume().on('end', resolve);
        }).end(),
      ),
  );
  expect(stores).toEqual(['request', 'fetch', 'agent']);
});

test('a header that cannot be sent fails the call, not the process', async () => {
  const { client, service } = await callers();
  on('rollcall:request:start', ({ headers }) => (headers['x'] = 'a\nb'));
  await expect(service.request('/')).rejects.toThrow('invalid x header');
  const agent = createHttpAgent(client);
  context.onEnd(() => agent.destroy());
  const failed = new Promise((resolve) => {
    nodeRequest('http://orders.rollcall/', { agent }).on('error', resolve).end();
  });
  expect(await failed).toMatchObject({ code: 'ERR_INVALID_CHAR' });
});

test('every form of headers that undici takes', () => {
  const added = { traceparent: 'new' };
  const base = { path: '/', method: 'GET' } as const;
  const headersOf = (headers: NonNullable<Parameters<typeof addHeaders>[0]['headers']>) =>
    addHeaders({ ...base, headers }, added).headers;
  expect(addHeaders(base, added).headers).toEqual(added);
  expect(headersOf(['A', '1', 'TraceParent', 'old'])).toEqual(['A', '1', 'traceparent', 'new']);
  expect(headersOf({ a: ['1', '2'], TRACEPARENT: 'old' })).toEqual({ a: ['1', '2'], ...added });
  const pairs = headersOf(new Headers({ a: '1', traceparent: 'old' })) as Iterable<unknown>;
  expect(Array.isArray(pairs)).toBe(false);
  expect([...pairs]).toEqual([
    ['a', '1'],
    ['traceparent', 'new'],
  ]);
  expect(addHeaders({ ...base, headers: { a: '1' } }, { A: '2' }).headers).toEqual({ A: '2' });
  expect(addHeaders(base, {})).toBe(base);
  expect(addHeaders(base, undefined)).toBe(base);
});
