import { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import * as undici6 from 'undici-6';
import * as undici7 from 'undici-7';
import { afterEach, describe, expect, test } from 'vitest';
import { closedPort } from './testing/backends.ts';
import { TestContext } from './testing/context.ts';
import { backendOf, serveOrders } from './testing/served.ts';

const context = new TestContext();
afterEach(() => context.end());

type Fetch = (url: string, init: object) => Promise<Response>;
type Request = (url: string, options: object) => Promise<Dispatcher.ResponseData>;

/** An instance that says what it got, one that nobody listens at, and an agent of each undici over both. */
async function open(given: { readonly dead?: boolean } = {}) {
  const echo = await backendOf(context, 'echo', (incoming, response, body) => {
    if (incoming.url === '/status') response.writeHead(418, { 'x-one': ['a', 'b'] });
    if (incoming.url === '/die') incoming.socket.destroy();
    else if (incoming.url === '/large') response.end(Buffer.alloc(2_000_000, 'x'));
    else response.end(`${incoming.method} ${incoming.url} ${body}`.trim());
  });
  const ports = given.dead === false ? [echo.port] : [await closedPort(), echo.port];
  const { client, service } = await serveOrders(context, ports);
  const agents = [new Agent(), new undici6.Agent(), new undici7.Agent()];
  context.onEnd(() => Promise.all(agents.map((agent) => agent.destroy())));
  const [own, six, seven] = agents.map((agent) =>
    (agent as Agent).compose(client.interceptor()),
  ) as [Dispatcher, Dispatcher, Dispatcher];
  return { echo, service, own, six, seven };
}

const fetches: [string, Fetch][] = [
  [`the fetch of Node.js ${process.versions.node}`, fetch],
  ['the fetch of undici 6', undici6.fetch as unknown as Fetch],
  ['the fetch of undici 7', undici7.fetch],
];

describe.each(fetches)('%s', (_, fetchOf) => {
  test.each(['own', 'six', 'seven'] as const)(
    'over an agent (%s) with the interceptor',
    async (which) => {
      const opened = await open();
      const dispatcher = opened[which];
      const got = await fetchOf('http://orders.rollcall/a?b=1', { dispatcher });
      expect([got.status, await got.text()]).toEqual([200, 'GET /a?b=1']);
      const init = { dispatcher, method: 'POST', body: 'hi', headers: { 'x-a': 'b' } };
      expect(await (await fetchOf('http://orders.rollcall/c', init)).text()).toBe('POST /c hi');
      const other = await fetchOf('http://orders.rollcall/status', { dispatcher });
      expect([other.status, other.headers.get('x-one')?.split(/, ?/)]).toEqual([418, ['a', 'b']]);
      const large = await fetchOf('http://orders.rollcall/large', { dispatcher });
      expect((await large.arrayBuffer()).byteLength).toBe(2_000_000);
    },
  );

  test('is told what failed, once and at once', async () => {
    const { own, service } = await open({ dead: false });
    const dispatcher = own;
    await expect(fetchOf('http://a.b.c.rollcall/', { dispatcher })).rejects.toMatchObject({
      cause: { code: 'invalid_host' },
    });
    const lost = fetchOf('http://orders.rollcall/die', { dispatcher, method: 'POST', body: 'b' });
    await expect(lost).rejects.toMatchObject({ cause: { code: 'response_lost' } });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(fetchOf('http://orders.rollcall/a', { dispatcher, signal })).rejects.toThrow(/./);
    expect(service.stats().inFlight).toBe(0);
  });
});

const requests: [string, Request, 'own' | 'six' | 'seven'][] = [
  ['request of undici 6 over an agent of its own', undici6.request as unknown as Request, 'six'],
  ['request of undici 6 over an agent of undici 8', undici6.request as unknown as Request, 'own'],
  ['request of undici 7 over an agent of its own', undici7.request as unknown as Request, 'seven'],
  ['request of undici 7 over an agent of undici 8', undici7.request as unknown as Request, 'own'],
];

test.each(requests)('%s', async (_, requestOf, which) => {
  const opened = await open();
  const dispatcher = opened[which];
  const got = await requestOf('http://orders.rollcall/a', { dispatcher, query: { b: 1 } });
  expect([got.statusCode, await got.body.text()]).toEqual([200, 'GET /a?b=1']);
  const body = Readable.from(['h', 'i']);
  const options = {
    dispatcher,
    method: 'POST',
    body,
    headers: { 'x-a': 'b' },
    headersTimeout: 5_000,
  };
  const posted = await requestOf('http://orders.rollcall/c', options);
  expect(await posted.body.text()).toBe('POST /c hi');
  const large = await requestOf('http://orders.rollcall/large', { dispatcher });
  expect((await large.body.arrayBuffer()).byteLength).toBe(2_000_000);
  await expect(requestOf('http://a.b.c.rollcall/', { dispatcher })).rejects.toMatchObject({
    code: 'invalid_host',
  });
  const aborted = { dispatcher, signal: AbortSignal.abort(new Error('enough')) };
  await expect(requestOf('http://orders.rollcall/a', aborted)).rejects.toThrow('enough');
});

test('what an older undici would do and this one does not is refused, and not left out', async () => {
  const { six } = await open();
  const pending = (undici6.request as unknown as Request)('http://orders.rollcall/a', {
    dispatcher: six,
    maxRedirections: 3,
  });
  await expect(pending).rejects.toThrow(/maxRedirections is not supported/);
});
