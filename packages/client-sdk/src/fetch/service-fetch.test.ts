import { spawn } from 'node:child_process';
import { once as event } from 'node:events';
import { Readable } from 'node:stream';
import { FormData as OtherFormData, Request as OtherRequest } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import type { Answer } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { backendOf, serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

type Body = NonNullable<RequestInit['body']>;

/** Says what it got as JSON. */
const echo: Answer = (incoming, response, body) => {
  const { method, url, headers } = incoming;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, headers, body }));
};

interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function open() {
  const backend = await backendOf(context, 'echo', echo);
  return { backend, ...(await serveOrders(context, [backend.port])) };
}

const echoed = async (reply: Response) => (await reply.json()) as Echoed;

describe("the web objects of this process's own", () => {
  const form = (made: { append(name: string, value: unknown, file?: string): void }) => {
    made.append('a', 'one');
    made.append('file', new Blob(['two'], { type: 'text/plain' }), 'f.txt');
    return made as unknown as FormData;
  };
  test.each<[string, () => FormData]>([
    ['FormData', () => form(new FormData())],
    ['FormData of another undici', () => form(new OtherFormData())],
  ])('%s', async (_, bodyOf) => {
    const { service } = await open();
    const { headers, body } = await echoed(
      await service.fetch('/up', { method: 'POST', body: bodyOf() }),
    );
    expect(headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(body).toMatch(/name="a"\r\n\r\none\r\n[^]*filename="f.txt"[^]*\r\n\r\ntwo\r\n/);
  });

  const bodies: [string, () => Body, string, string | undefined][] = [
    ['a text', () => 'hi', 'hi', 'text/plain;charset=UTF-8'],
    [
      'URLSearchParams',
      () => new URLSearchParams({ a: '1' }),
      'a=1',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
    ['a Blob', () => new Blob(['hi'], { type: 'text/x' }), 'hi', 'text/x'],
    ['bytes', () => new TextEncoder().encode('hi'), 'hi', undefined],
    ['a ReadableStream', () => new Blob(['hi']).stream(), 'hi', undefined],
    ['a Readable', () => Readable.from(['h', 'i']) as never, 'hi', undefined],
  ];
  test.each(bodies)('%s', async (_, bodyOf, text, type) => {
    const { service } = await open();
    const reply = await service.fetch('/up', { method: 'POST', body: bodyOf() });
    const { headers, body } = await echoed(reply);
    expect([body, headers['content-type']]).toEqual([text, type]);
  });

  test('Headers and an abort', async () => {
    const { service } = await open();
    const init = { headers: new Headers({ 'x-a': 'b' }) };
    expect((await echoed(await service.fetch('/x', init))).headers['x-a']).toBe('b');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(service.fetch('/x', { signal })).rejects.toThrow('enough');
  });

  test.each([
    ['of this process', Request],
    ['of another undici', OtherRequest as unknown as typeof Request],
  ])('a Request %s: method, headers, body, signal; the init goes first', async (_, Class) => {
    const { service } = await open();
    const url = 'http://orders.default.rollcall/r?a=1';
    const give = (signal?: AbortSignal) =>
      new Class(url, {
        method: 'PATCH',
        headers: { 'x-a': 'b' },
        body: 'hi',
        ...(signal === undefined ? {} : { signal }),
      });
    const got = await echoed(await service.fetch(give()));
    expect(got).toMatchObject({
      method: 'PATCH',
      url: '/r?a=1',
      body: 'hi',
      headers: { 'x-a': 'b' },
    });
    const other = await echoed(await service.fetch(give(), { method: 'PUT', body: 'ho' }));
    expect(other).toMatchObject({ method: 'PUT', body: 'ho', headers: { 'x-a': 'b' } });
    const aborted = service.fetch(give(AbortSignal.abort(new Error('enough'))));
    await expect(aborted).rejects.toThrow(/enough|abort/);
  });

  test('the reply is a Response', async () => {
    const { service } = await open();
    const reply = await service.fetch('/x');
    expect(reply).toBeInstanceOf(Response);
    expect([reply.ok, reply.status, reply.redirected]).toEqual([true, 200, false]);
    expect(reply.url).toBe('http://orders.default.rollcall/x');
    expect(reply.headers.get('content-type')).toBe('application/json');
    const copy = reply.clone();
    expect(await copy.text()).toBe(await reply.text());
  });
});

test.each<[string, () => Body]>([
  ['a text', () => 'hi'],
  [
    'a FormData',
    () => {
      const form = new FormData();
      form.append('a', 'hi');
      return form;
    },
  ],
])('PUT with %s is answered by another instance when the first dies', async (_, bodyOf) => {
  const dying = await backendOf(context, 'dying', (incoming) => incoming.socket.destroy());
  const alive = await backendOf(context, 'alive');
  const { service } = await serveOrders(context, [dying.port, alive.port]);
  const reply = await service.fetch('/x', { method: 'PUT', body: bodyOf() });
  expect(await reply.text()).toBe('alive');
  expect(alive.seen).toEqual(dying.seen);
  expect(alive.seen[0]).toContain('hi');
  const once = service.fetch('/x', { method: 'POST', body: bodyOf() });
  await expect(
    Promise.all([once, service.fetch('/x', { method: 'POST', body: bodyOf() })]),
  ).rejects.toMatchObject({
    cause: { code: 'response_lost' },
  });
});

describe('urls of another host', () => {
  test.each([
    'http://other/abs',
    '//other/x',
    'https://orders.default.rollcall/x',
    'http://orders.shop.rollcall/x',
    'http://stock.default.rollcall/x',
    'data:text/plain,x',
  ])('%s is refused, and the service is not asked', async (url) => {
    const { backend, service } = await open();
    const message = /expected a path, or a url of http:\/\/orders\.default\.rollcall/;
    await expect(service.fetch(url)).rejects.toThrow(message);
    await expect(service.fetch(new URL(url, 'http://other'))).rejects.toMatchObject({
      code: 'invalid_host',
    });
    expect(backend.seen).toEqual([]);
  });

  test('request takes a path, and no url at all', async () => {
    const { backend, service } = await open();
    for (const url of ['http://user:secret@other/abs', 'HTTPS://orders.default.rollcall/x']) {
      const pending = service.request(url);
      await expect(pending).rejects.toMatchObject({ code: 'invalid_host' });
      await expect(pending).rejects.not.toThrow('secret');
    }
    await expect(service.request({} as { path: string })).rejects.toThrow('path must be a string');
    expect(backend.seen).toEqual([]);
  });

  test.each([
    ['x', '/x'],
    ['http://orders/x', '/x'],
    ['http://orders.rollcall:81/x', '/x'],
    ['http://orders.default//other/x', '//other/x'],
  ])('%s is one of the service', async (url, path) => {
    const { service } = await open();
    expect((await echoed(await service.fetch(url))).url).toBe(path);
  });
});

describe('a redirect', () => {
  async function redirecting(status: number, to: (other: number) => string) {
    const other = await backendOf(context, 'other', echo);
    const leader = await backendOf(context, 'leader', echo);
    const asked = await backendOf(context, 'asked', (incoming, response) => {
      if (incoming.url === '/old')
        response
          .writeHead(status, { location: to(other.port).replace('LEADER', `${leader.port}`) })
          .end();
      else response.end('asked');
    });
    const down = endpointAt(leader.port, { state: 'down' });
    const opened = await serveOrders(context, [asked.port, down]);
    const init = { headers: { authorization: 'Bearer secret', cookie: 'a=b' } };
    return { ...opened, other, leader, asked, init };
  }

  test('within the service', async () => {
    const { service, asked } = await redirecting(302, () => '/new');
    const reply = await service.fetch('/old');
    expect([reply.redirected, reply.url]).toEqual([true, 'http://orders.default.rollcall/new']);
    expect(asked.seen).toEqual(['GET /old', 'GET /new']);
  });

  test('to another host is followed there, without credentials', async () => {
    const { service, asked, other, init } = await redirecting(
      302,
      (port) => `http://127.0.0.1:${port}/there`,
    );
    const reply = await service.fetch('/old', init);
    const { headers } = await echoed(reply);
    expect(reply.url).toBe(`http://127.0.0.1:${other.port}/there`);
    expect([headers['authorization'], headers['cookie']]).toEqual([undefined, undefined]);
    expect([asked.seen, other.seen]).toEqual([['GET /old'], ['GET /there']]);
  });

  test('to another host with a body is not followed', async () => {
    const { service, asked, other } = await redirecting(
      307,
      (port) => `http://127.0.0.1:${port}/there`,
    );
    const pending = service.fetch('/old', { method: 'POST', body: 'secret' });
    await expect(pending).rejects.toMatchObject({
      cause: { code: 'invalid_host', message: expect.stringContaining('not sent to another host') },
    });
    expect([asked.seen, other.seen]).toEqual([['POST /old secret'], []]);
    const manual = await service.fetch('/old', { method: 'POST', body: 'x', redirect: 'manual' });
    expect(manual.status).toBe(307);
  });

  test('to an instance goes to that instance, with its body', async () => {
    const { service, leader } = await redirecting(307, () => 'http://127.0.0.1:LEADER/there');
    const reply = await service.fetch('/old', { method: 'POST', body: 'hi' });
    expect(await echoed(reply)).toMatchObject({ method: 'POST', url: '/there', body: 'hi' });
    expect(leader.seen).toEqual(['POST /there hi']);
  });

  test('to another service reaches it', async () => {
    const stock = await backendOf(context, 'stock');
    const { registry, service } = await redirecting(302, () => 'http://stock.rollcall/there');
    registry.roll.set('stock', [endpointAt(stock.port)]);
    expect(await (await service.fetch('/old')).text()).toBe('stock');
    expect(stock.seen).toEqual(['GET /there']);
  });
});

describe("the import leaves the process's own fetch as it was", () => {
  const script = (before: string) => `
    const seen = () => ['1', '2'].map((n) => globalThis[Symbol.for('undici.globalDispatcher.' + n)]);
    // An import of it would bring the undici of Node.js along, by what it exports of that.
    const { createServer } = process.getBuiltinModule('node:http');
    const server = createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const post = async () => {
      const url = 'http://127.0.0.1:' + server.address().port;
      const reply = await fetch(url, { method: 'POST', body: 'hi', headers: { 'content-length': '2' } });
      await reply.text();
    };
    ${before}
    const before = seen();
    const { Rollcall } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)});
    const client = new Rollcall({ url: 'http://127.0.0.1:1' });
    await client.service('orders').request('/').catch(() => {});
    if (before.some((one, at) => one !== seen()[at])) throw new Error('changed');
    await client.service('orders').fetch('/').catch(() => {});
    await client.close();
    await post();
    server.close();
    server.closeAllConnections();
  `;
  test.each([
    ['used afterwards', ''],
    ['used before', 'await post();'],
  ])('%s', async (_, before) => {
    const args = ['--conditions=@rollcall/source', '--input-type=module', '-e', script(before)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    context.onEnd(() => child.kill('SIGKILL'));
    let code: number | null = null;
    void event(child, 'exit').then(([given]) => (code = given as number));
    await until(() => code !== null, 15_000);
    expect(code).toBe(0);
  });
});
