import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  type Agent,
  type ClientRequest,
  createServer,
  get as httpGet,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { createServer as createHttpsServer, get as httpsGet } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import axios from 'axios';
import got from 'got';
import nodeFetch from 'node-fetch';
import superagent from 'superagent';
import { afterEach, describe, expect, test } from 'vitest';
import type { RollcallOptions } from '../api/options.ts';
import { BackendProcess, closedPort } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { serveOrders } from '../testing/served.ts';
import { until } from '../testing/watched.ts';
import { createHttpAgent, createHttpsAgent } from './index.ts';

const context = new TestContext();
afterEach(() => context.end());

/** A server that tells of its connections. */
async function startServer(name: string) {
  const state = { delayMs: 0, connections: 0, open: new Set<Socket>(), hosts: new Set<string>() };
  const server = createServer((request, response) => {
    state.hosts.add(request.headers.host ?? '');
    request.resume();
    setTimeout(() => response.end(name), state.delayMs);
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    state.connections++;
    state.open.add(socket);
    socket.on('close', () => state.open.delete(socket));
  });
  server.on('upgrade', (_, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return { state, server, port: (server.address() as AddressInfo).port };
}

async function serve(names: readonly string[], options: Partial<RollcallOptions> = {}) {
  const servers = await Promise.all(names.map(startServer));
  const ports = servers.map(({ port }) => port);
  const { client, registry, service } = await serveOrders(context, ports, options);
  const agent = createHttpAgent(client);
  context.onEnd(() => agent.destroy());
  return { servers, client, registry, service, agent };
}

/** One request with Node.js's own module; rejects with its error. */
async function get(agent: Agent, path = '/', more: RequestOptions = {}): Promise<string> {
  const request = httpRequest(`http://orders.rollcall${path}`, { agent, ...more });
  request.end();
  return answerOf(request);
}

async function answerOf(request: ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return text(response);
}

describe('requests of node:http', () => {
  test('each goes to an instance of its own choice, over connections that are kept', async () => {
    const { servers, agent, service } = await serve(['a', 'b', 'c']);
    const answers: string[] = [];
    for (let i = 0; i < 9; i++) answers.push(await get(agent));
    expect(answers.join('')).toBe('abcabcabc');
    for (const { state } of servers) {
      expect(state.connections).toBe(1);
      expect([...state.hosts]).toEqual(['orders.rollcall']);
    }
    expect(service.stats()).toMatchObject({ calls: 9, failures: 0, inFlight: 0 });
  });

  test('what is under way counts for the choice', async () => {
    const { servers, agent, service } = await serve(['a', 'b'], { policy: 'least-outstanding' });
    servers[0]!.state.delayMs = 400;
    const slow = get(agent);
    await until(() => servers[0]!.state.connections === 1);
    expect(service.stats().inFlight).toBe(1);
    // One after the other: two at once would count for each other too.
    const others = [await get(agent), await get(agent)];
    expect(others.join('')).not.toContain('a');
    expect(await slow).toBe('a');
    expect(service.stats().inFlight).toBe(0);
  });

  test('a refused connection goes elsewhere, with its body, and costs one retry', async () => {
    const { servers, registry, agent, service } = await serve(['a']);
    registry.change('orders', [endpointAt(await closedPort()), endpointAt(servers[0]!.port)]);
    await until(() => service.endpoints().length === 2);
    const bodies: string[] = [];
    servers[0]!.server.on('request', (request) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
    });
    for (let i = 0; i < 4; i++) {
      const request = httpRequest('http://orders.rollcall/', { agent, method: 'POST' });
      request.end(`order ${i}`);
      expect(await answerOf(request)).toBe('a');
    }
    expect(bodies).toEqual(['order 0', 'order 1', 'order 2', 'order 3']);
    // One failed connect ejects it.
    expect(service.stats()).toMatchObject({ calls: 4, retries: 1, failures: 0, ejections: 1 });
  });

  test('nobody accepts: the error of the network, at the end of all tries', async () => {
    const { registry, agent, service } = await serve([]);
    const ports = [await closedPort(), await closedPort()];
    registry.change(
      'orders',
      ports.map((port) => endpointAt(port)),
    );
    await until(() => service.endpoints().length === 2);
    await expect(get(agent)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(service.stats()).toMatchObject({ calls: 1, failures: 1, inFlight: 0 });
  });

  test('an instance that takes no connection in time is left for another', async () => {
    const { servers, registry, agent, service } = await serve(['a'], {
      calls: { connectTimeoutMs: 150 },
    });
    // Of TEST-NET-1: nobody answers there.
    const far = endpointAt(9, { address: '192.0.2.1' });
    registry.change('orders', [far, endpointAt(servers[0]!.port)]);
    await until(() => service.endpoints().length === 2);
    expect(await get(agent)).toBe('a');
    expect(await get(agent)).toBe('a');
  });

  test('no instance: an error that says so', async () => {
    const { agent, service } = await serve([]);
    await expect(get(agent)).rejects.toMatchObject({
      name: 'RollcallError',
      code: 'no_endpoints',
    });
    expect(service.stats().inFlight).toBe(0);
  });

  test('an instance that dies under a request is to blame, a caller that gives up blames nobody', async () => {
    const dying = await BackendProcess.start();
    const { registry, agent, service } = await serve([], {
      calls: { ejection: { failuresInARow: 1 } },
    });
    registry.change('orders', [endpointAt(dying.port)]);
    await until(() => service.endpoints().length === 1);
    const given = httpRequest('http://orders.rollcall/?delay=60000', { agent });
    given.end();
    await once(given, 'socket');
    const failure = once(given, 'error');
    given.destroy(new Error('given up'));
    expect(String(await failure)).toContain('given up');
    await until(() => service.stats().inFlight === 0);
    expect(service.stats()).toMatchObject({ ejections: 0, failures: 0 });

    const lost = get(agent, '/?delay=60000');
    lost.catch(() => {});
    await until(() => service.stats().inFlight === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await dying.kill();
    await expect(lost).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(() => service.stats().ejections === 1);
    expect(service.stats()).toMatchObject({ failures: 1, inFlight: 0 });
  });

  test('answers of 500 in a row eject, as by every other way', async () => {
    const { servers, agent, service } = await serve(['a', 'b'], {
      calls: { ejection: { failuresInARow: 2, baseMs: 60_000 } },
    });
    servers[0]!.server.removeAllListeners('request');
    servers[0]!.server.on('request', (_, response) => response.writeHead(500).end('a'));
    for (let i = 0; i < 4; i++) await get(agent);
    expect(service.stats().ejections).toBe(1);
    expect([await get(agent), await get(agent), await get(agent)].join('')).toBe('bbb');
  });

  test('an instance that leaves finishes its requests, and then its connections end', async () => {
    const { servers, registry, agent, service } = await serve(['a', 'b']);
    await Promise.all([get(agent), get(agent)]);
    const [a] = servers;
    a!.state.delayMs = 300;
    const under = get(agent);
    await until(() => service.stats().inFlight === 1);
    registry.change('orders', [], [`i-${a!.port}/http`]);
    await until(() => service.endpoints().length === 1);
    expect(await under).toBe('a');
    await until(() => a!.state.open.size === 0);
    expect(await get(agent)).toBe('b');
    expect(servers[1]!.state.open.size).toBe(1);
  });

  test('closing the client ends its connections, and later requests fail', async () => {
    const { servers, client, agent } = await serve(['a']);
    await get(agent);
    expect(servers[0]!.state.open.size).toBe(1);
    await client.close();
    await until(() => servers[0]!.state.open.size === 0);
    await expect(get(agent)).rejects.toMatchObject({ code: 'closed' });
  });

  test('an answer that nobody listens for is thrown away, and its connection used again', async () => {
    const { servers, agent, service } = await serve(['a']);
    httpGet('http://orders.rollcall/', { agent });
    await until(() => servers[0]!.state.connections === 1);
    await until(() => service.stats().inFlight === 0);
    expect(await get(agent)).toBe('a');
    expect(servers[0]!.state.connections).toBe(1);
  });

  test('an upgraded connection is the caller’s, and no longer a call', async () => {
    const { agent, service } = await serve(['a']);
    const request = httpRequest('http://orders.rollcall/', {
      agent,
      headers: { connection: 'upgrade', upgrade: 'echo' },
    });
    request.end();
    const [, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Socket];
    socket.write('hello');
    expect(String((await once(socket, 'data'))[0])).toBe('hello');
    expect(service.stats()).toMatchObject({ inFlight: 0, failures: 0 });
    socket.destroy();
  });

  test('without a listener for it, an upgrade is refused by Node.js as ever', async () => {
    const { agent, service } = await serve(['a']);
    const headers = { connection: 'upgrade', upgrade: 'echo' };
    const request = httpRequest('http://orders.rollcall/', { agent, headers });
    request.on('error', () => {});
    request.end();
    await once(request, 'close');
    expect(service.stats().inFlight).toBe(0);
  });

  test('other hosts are left alone', async () => {
    const { servers, agent, service } = await serve(['a']);
    const response = httpGet(`http://127.0.0.1:${servers[0]!.port}/`, { agent });
    expect(await answerOf(response)).toBe('a');
    expect(service.stats().calls).toBe(0);
    await expect(answerOf(httpGet('http://a.b.c.rollcall/', { agent }))).rejects.toMatchObject({
      code: 'invalid_host',
    });
  });

  test('is made for a client only', () => {
    expect(() => createHttpAgent({} as never)).toThrow('expected a Rollcall of the same copy');
  });
});

describe('what others do to it', () => {
  const BYTES = 100_000;

  async function big() {
    const served = await serve(['a']);
    served.servers[0]!.server.removeAllListeners('request');
    served.servers[0]!.server.on('request', (_, response) => response.end('x'.repeat(BYTES)));
    return served;
  }

  test('a callback that reads the answer later gets all of it', async () => {
    const { agent } = await big();
    const response = await new Promise<IncomingMessage>((resolve) => {
      httpGet('http://orders.rollcall/', { agent }, resolve);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await text(response)).length).toBe(BYTES);
  });

  test('so does a stream of axios', async () => {
    const { agent } = await big();
    const { data } = await axios.get<NodeJS.ReadableStream>('http://orders.rollcall/', {
      httpAgent: agent,
      responseType: 'stream',
    });
    expect((await text(data as never)).length).toBe(BYTES);
  });

  test('no more connections than the options allow; the others wait, also past a failure', async () => {
    const { servers, agent } = await serve(['a'], { calls: { maxConnections: 2 } });
    servers[0]!.state.delayMs = 20;
    const answers = await Promise.all(Array.from({ length: 9 }, () => get(agent)));
    expect(answers.join('')).toBe('a'.repeat(9));
    expect(servers[0]!.state.connections).toBe(2);
    const given = Array.from({ length: 4 }, () =>
      httpRequest('http://orders.rollcall/', { agent }),
    );
    for (const request of given) {
      request.on('error', () => {});
      request.end();
    }
    const closed = new Promise((resolve) => given[2]!.on('close', resolve));
    given[2]!.destroy();
    await closed;
    given[0]!.destroy();
    expect(await get(agent)).toBe('a');
  });

  test('garbage for an answer is the fault of the instance', async () => {
    const garbage = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write('lkjsdf\r\n\r\n'));
    });
    garbage.listen(0, '127.0.0.1');
    await once(garbage, 'listening');
    context.onEnd(() => garbage.close());
    const { registry, agent, service } = await serve(['a'], {
      calls: { ejection: { failuresInARow: 2, baseMs: 60_000 } },
    });
    registry.change('orders', [endpointAt((garbage.address() as AddressInfo).port)]);
    await until(() => service.endpoints().length === 2);
    for (let i = 0; i < 6; i++) await get(agent).catch(() => {});
    expect(service.stats().ejections).toBe(1);
    expect(await get(agent)).toBe('a');
  });

  test('an option that is wrong is the fault of the caller', async () => {
    const { agent, service } = await serve(['a', 'b']);
    const failing = get(agent, '/', { localAddress: 'nonsense' });
    await expect(failing).rejects.toMatchObject({ code: 'ERR_INVALID_IP_ADDRESS' });
    expect(service.stats()).toMatchObject({ ejections: 0, inFlight: 0 });
  });

  test('given up while it waits for an instance, at once and by its own reason', async () => {
    const { agent, service } = await serve([], { noEndpointWaitMs: 60_000 });
    await expect(get(agent, '/', { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      code: 'ABORT_ERR',
    });
    const late = httpRequest('http://orders.rollcall/', { agent, timeout: 50 });
    late.end();
    await once(late, 'timeout');
    late.destroy(new Error('too late'));
    expect(String((await once(late, 'error'))[0])).toContain('too late');
    const asked = httpRequest('http://orders.rollcall/', { agent });
    asked.setTimeout(50);
    asked.end();
    await once(asked, 'timeout');
    asked.on('error', () => {});
    const closed = new Promise((resolve) => asked.on('close', resolve));
    asked.destroy();
    await closed;
    expect(service.stats()).toMatchObject({ inFlight: 0, ejections: 0 });
  });

  /** Servers that accept connections and never begin with TLS. */
  async function mute(count = 1, calls: RollcallOptions['calls'] = { connectTimeoutMs: 60_000 }) {
    const sockets = new Set<Socket>();
    const ports = await Promise.all(Array.from({ length: count }, () => startMute(sockets)));
    const { client } = await serveOrders(context, ports, { calls });
    return { sockets, client, agent: createHttpsAgent(client) };
  }

  async function startMute(sockets: Set<Socket>): Promise<number> {
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.resume();
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.onEnd(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  test('given up while it connects, at once', async () => {
    const { sockets, client, agent } = await mute();
    const service = client.service('orders', { scheme: 'https' });
    const signal = AbortSignal.timeout(100);
    const request = httpsGet('https://orders.rollcall/', { agent, signal });
    await expect(once(request, 'response')).rejects.toMatchObject({ code: 'ABORT_ERR' });
    await until(() => sockets.size === 0);
    expect(service.stats()).toMatchObject({ inFlight: 0, ejections: 0 });
  });

  test('as many tries as by every other way: those that take time count', async () => {
    const { sockets, client, agent } = await mute(3, { connectTimeoutMs: 100, maxTries: 2 });
    const request = httpsGet('https://orders.rollcall/', { agent });
    await expect(once(request, 'response')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const { retries } = client.service('orders', { scheme: 'https' }).stats();
    expect(retries).toBe(1);
    await until(() => sockets.size === 0);
  });

  test('closing the client waits for what connects, and then ends it: nothing is sent later', async () => {
    const { sockets, client, agent } = await mute();
    const request = httpsGet('https://orders.rollcall/', { agent });
    const failure = once(request, 'response');
    failure.catch(() => {});
    await until(() => sockets.size === 1);
    await client.close();
    await expect(failure).rejects.toMatchObject({ code: 'closed' });
    await until(() => sockets.size === 0);
  }, 20_000);

  test('a connection has no timeout that nobody set, and an idle one ends in time', async () => {
    const { servers, agent } = await serve(['a'], { calls: { keepAliveMs: 100 } });
    for (let i = 0; i < 2; i++) {
      servers[0]!.state.delayMs = 250;
      const request = httpRequest('http://orders.rollcall/', { agent });
      const timeouts: unknown[] = [];
      request.on('timeout', () => timeouts.push(1));
      request.end();
      expect(await answerOf(request)).toBe('a');
      expect(timeouts).toEqual([]);
    }
    expect(servers[0]!.state.connections).toBe(1);
    await until(() => servers[0]!.state.open.size === 0);
  });

  test.each([1_000, 2_000])(
    'is ended before the server that keeps it %d ms does it',
    async (ms) => {
      const { servers, agent } = await serve(['a']);
      const { server, state } = servers[0]!;
      server.keepAliveTimeout = ms;
      let ends = 0;
      server.on('connection', (socket) => socket.on('end', () => ends++));
      expect(await get(agent)).toBe('a');
      await until(() => state.open.size === 0);
      expect(ends).toBe(1);
    },
  );
});

describe('over https', () => {
  const pem = (name: string) =>
    readFileSync(new URL(`../testing/tls/${name}.pem`, import.meta.url));

  async function over(name: string) {
    const certificate = pem(name);
    const names: unknown[] = [];
    const server = createHttpsServer(
      { key: certificate, cert: certificate },
      (request, response) => {
        names.push((request.socket as unknown as { servername: unknown }).servername);
        response.end('safe');
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.onEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const calls = { connect: { ca: certificate } };
    const { client } = await serveOrders(context, [port], { calls });
    const agent = createHttpsAgent(client);
    context.onEnd(() => agent.destroy());
    return { agent, names };
  }

  test('the certificate is for the service', async () => {
    const { agent, names } = await over('orders');
    for (let i = 0; i < 2; i++) {
      expect(await answerOf(httpsGet('https://orders.rollcall/', { agent }))).toBe('safe');
    }
    expect(new Set(names)).toEqual(new Set(['orders.default.rollcall']));
  });

  test('one of another service is refused', async () => {
    const { agent } = await over('stock');
    await expect(answerOf(httpsGet('https://orders.rollcall/', { agent }))).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});

describe('libraries on top of it', () => {
  type Ask = (agent: Agent, port: number) => Promise<string>;
  const ways: Readonly<Record<string, Ask>> = {
    axios: async (httpAgent) => (await axios.get('http://orders.rollcall/', { httpAgent })).data,
    got: (http) => got('http://orders.rollcall/', { agent: { http }, retry: { limit: 0 } }).text(),
    'node-fetch': async (agent) => (await nodeFetch('http://orders.rollcall/', { agent })).text(),
    superagent: async (agent) => {
      const reply = await superagent.get('http://orders.rollcall/').agent(agent as never);
      return reply.text || String(reply.body);
    },
  };

  test.each(Object.keys(ways))('%s: balanced, and past an instance that is gone', async (name) => {
    const { servers, registry, agent, service } = await serve(['a', 'b', 'c']);
    const ask = () => ways[name]!(agent, 0);
    const answers = [await ask(), await ask(), await ask()];
    expect(answers.toSorted().join('')).toBe('abc');
    registry.change('orders', [
      endpointAt(await closedPort()),
      ...servers.map(({ port }) => endpointAt(port)),
    ]);
    await until(() => service.endpoints().length === 4);
    for (let i = 0; i < 8; i++) expect(await ask()).toMatch(/^[abc]$/);
  });
});
