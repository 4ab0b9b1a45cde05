import { readFileSync } from 'node:fs';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { TestContext } from '../testing/context.ts';
import { serveOrders } from '../testing/served.ts';

const context = new TestContext();
afterEach(() => context.end());

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

const pem = readFileSync(new URL('../testing/tls/orders.pem', import.meta.url));

/** A server of HTTP/2, and a way to end it as a crash does. */
async function serverOf(handler: Handler, isSecure = false) {
  const server: Http2Server | Http2SecureServer = isSecure
    ? createSecureServer({ key: pem, cert: pem, allowHTTP1: true }, handler)
    : createServer(handler);
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  server.on('session', (session) => sessions.add(session));
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const crash = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  context.onEnd(crash);
  return { port: (server.address() as AddressInfo).port, sessions, crash };
}

const hello: Handler = (request, response) =>
  void response.end(`${request.httpVersion} ${request.method}`);

test.each([
  ['http', false],
  ['https', true],
] as const)('over %s, many calls at once over one connection', async (scheme, isSecure) => {
  const { port, sessions } = await serverOf(hello, isSecure);
  const connect = isSecure ? { ca: pem } : {};
  const { client } = await serveOrders(context, [port], { calls: { connect } });
  const orders = client.service('orders', { scheme, http2: true });
  const texts = Array.from({ length: 20 }, async (_, i) => {
    const method = i % 2 === 0 ? 'GET' : 'POST';
    return (await orders.request('/', { method })).body.text();
  });
  expect(new Set(await Promise.all(texts))).toEqual(new Set(['2.0 GET', '2.0 POST']));
  expect(sessions.size).toBe(1);
});

test('an instance without HTTP/2 is called over HTTP/1.1 where TLS says so, and a service is asked as before', async () => {
  const { port, sessions } = await serverOf(hello, true);
  const { client } = await serveOrders(context, [port], { calls: { connect: { ca: pem } } });
  const reply = await client.service('orders', { scheme: 'https' }).request('/');
  expect(await reply.body.text()).toBe('1.1 GET');
  expect(sessions.size).toBe(0);
});

test('an instance that dies: calls that may be repeated go elsewhere, others say that they are lost', async () => {
  const dying = await serverOf(() => dying.crash());
  const other = await serverOf(hello);
  const { client } = await serveOrders(context, [dying.port, other.port], {
    policy: 'round-robin',
  });
  const orders = client.service('orders', { http2: true });
  const outcomes = [];
  for (const method of ['GET', 'POST', 'GET', 'PUT'] as const)
    outcomes.push(
      await orders
        .request('/', { method })
        .then(async (reply) => reply.body.text())
        .catch(({ code, mayHaveBeenProcessed }) => `${code} ${mayHaveBeenProcessed}`),
    );
  expect(outcomes.filter((one) => one.startsWith('2.0'))).toHaveLength(4);
});

test('a POST that an instance took before it died is not sent again', async () => {
  const dying = await serverOf(() => dying.crash());
  const { client } = await serveOrders(context, [dying.port]);
  const orders = client.service('orders', { http2: true });
  await expect(orders.request('/', { method: 'POST', body: 'x' })).rejects.toMatchObject({
    code: 'response_lost',
    mayHaveBeenProcessed: true,
  });
});
