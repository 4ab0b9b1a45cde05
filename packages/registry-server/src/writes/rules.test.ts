import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '@rollcall/testkit';
import type { RegistryServer } from '../compose.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.close());

const pathOf = (id: string) =>
  `${server.url}/v1/namespaces/default/services/orders/instances/${id}`;

async function send(method: string, url: string, body?: unknown) {
  const response = await fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
  };
}

const stateOf = async (id: string) => (await send('GET', pathOf(id))).body['state'];

describe('registering', () => {
  test('fills address, app label and defaults', async () => {
    await send('PUT', pathOf('a'), {
      ports: { http: 3000, grpc: { port: 9000, containerPort: 90 } },
    });
    const { body } = await send('GET', pathOf('a'));
    expect(body).toMatchObject({
      address: '127.0.0.1',
      labels: { app: 'orders' },
      weight: 100,
      zone: '',
      ttlMs: 10_000,
      state: 'up',
      ready: true,
      tier: 0,
    });
    const resolved = await send(
      'GET',
      `${server.url}/v1/namespaces/default/services/orders/endpoints?port=grpc`,
    );
    expect(resolved.body['endpoints']).toMatchObject([
      { id: 'a/grpc', port: 9000, containerPort: 90 },
    ]);
  });

  test('resolves by port, zone, selector and readiness', async () => {
    await send('PUT', pathOf('a'), { ports: { http: 1 }, zone: 'eu-1', labels: { canary: 'yes' } });
    await send('PUT', pathOf('b'), { ports: { http: 2 }, zone: 'eu-2', status: 'draining' });
    const ids = async (query: string) => {
      const { body } = await send(
        'GET',
        `${server.url}/v1/namespaces/default/services/orders/endpoints?${query}`,
      );
      return (body['endpoints'] as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids('')).toEqual(['a/http', 'b/http']);
    expect(await ids('zone=eu-2')).toEqual(['b/http']);
    expect(await ids('selector=app=orders,canary=yes')).toEqual(['a/http']);
    expect(await ids('ready=false')).toEqual(['b/http']);
    expect(await ids('port=grpc')).toEqual([]);
  });

  test('the registry itself is on the roll', async () => {
    await until(async () => {
      const { body } = await send('GET', `${server.url}/v1/namespaces/default/services/rollcall`);
      return body['instances'] === 1;
    });
  });
});

describe('overrides', () => {
  test('beat what the instance reports, survive registering again, and can be lifted', async () => {
    const order = { status: 'down', author: 'ann', reason: 'disk is failing' };
    await send('PUT', pathOf('a'), { ports: { http: 1 } });
    expect(await send('PUT', `${pathOf('a')}/override`, order)).toMatchObject({
      status: 200,
      body: { ...order, untilMs: null },
    });
    await until(async () => (await stateOf('a')) === 'down');
    await send('PUT', pathOf('a'), { ports: { http: 1 } });
    expect(await stateOf('a')).toBe('down');
    const { body } = await send('GET', pathOf('a'));
    expect(body).toMatchObject({
      status: 'up',
      override: { author: 'ann', reason: 'disk is failing' },
    });
    expect((await send('DELETE', `${pathOf('a')}/override`)).status).toBe(200);
    expect(await stateOf('a')).toBe('up');
    const events = await send('GET', `${server.url}/v1/events?service=orders`);
    const kinds = (events.body['events'] as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds).toEqual(['registered', 'overridden', 'superseded', 'override-removed']);
  });

  test('with an end, end', async () => {
    await send('PUT', pathOf('a'), { ports: { http: 1 } });
    await send('PUT', `${pathOf('a')}/override`, {
      status: 'draining',
      author: 'ann',
      reason: 'a while',
      forMs: 1_000,
    });
    await until(async () => (await stateOf('a')) === 'draining');
    await until(async () => (await stateOf('a')) === 'up', { withinMs: 4_000 });
  });
});

describe('persistent instances', () => {
  let target: Server;
  let isWell = true;
  let port = 0;

  beforeEach(async () => {
    isWell = true;
    target = createServer((_, response) => response.writeHead(isWell ? 200 : 500).end());
    await once(target.listen(0, '127.0.0.1'), 'listening');
    ({ port } = target.address() as AddressInfo);
  });
  afterEach(() => {
    target.closeAllConnections();
    target.close();
  });

  const timing = { intervalMs: 500, timeoutMs: 200, healthyThreshold: 1, unhealthyThreshold: 2 };

  test('hold no lease; an HTTP check sets their state both ways', async () => {
    const check = { type: 'http', path: '/health', ...timing };
    const { body } = await send('PUT', pathOf('db'), {
      ports: { http: port },
      persistent: true,
      check,
    });
    expect(body['lease']).toBeNull();
    expect(await stateOf('db')).toBe('starting');
    await until(async () => (await stateOf('db')) === 'up');
    isWell = false;
    await until(async () => (await stateOf('db')) === 'down');
    // Registering again, as a configuration tool does every minute, does not bring it up.
    await send('PUT', pathOf('db'), { ports: { http: port }, persistent: true, check });
    expect(await stateOf('db')).toBe('down');
    isWell = true;
    await until(async () => (await stateOf('db')) === 'up');
  });

  test('a TCP check wants a connection', async () => {
    const check = { type: 'tcp', ...timing };
    await send('PUT', pathOf('db'), { ports: { pg: port }, persistent: true, check });
    await until(async () => (await stateOf('db')) === 'up');
    target.closeAllConnections();
    target.close();
    await until(async () => (await stateOf('db')) === 'down');
  });
});

describe('a new store', () => {
  test('refuses to say that a service is empty while instances may be returning', async () => {
    await server.close();
    server = await startTestServer('--warm-up-ms', '60000');
    const url = `${server.url}/v1/namespaces/default/services/orders/endpoints`;
    await until(async () => (await send('GET', url)).body['code'] === 'warming_up');
    expect(await send('GET', `${server.url}/v1/watch?service=orders`)).toMatchObject({
      status: 503,
      body: { code: 'warming_up', retryable: true },
    });
    await send('PUT', pathOf('a'), { ports: { http: 1 } });
    expect((await send('GET', url)).status).toBe(200);
  });

  test('does not say so of a declared service either, whose instances may be returning too', async () => {
    await server.close();
    server = await startTestServer('--warm-up-ms', '60000');
    const manifest = (name: string, spec: object) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
    const ports = [{ port: 80 }];
    const bodies = [
      manifest('web', { selector: { app: 'web' }, ports }),
      manifest('bare', { ports }),
    ];
    const headers = { 'content-type': 'application/yaml' };
    await until(async () => {
      const body = bodies.join('\n---\n');
      return (await fetch(`${server.url}/v1/apply`, { method: 'POST', headers, body })).ok;
    });
    const url = (name: string) => `${server.url}/v1/namespaces/default/services/${name}/endpoints`;
    expect(await send('GET', url('web'))).toMatchObject({ body: { code: 'warming_up' } });
    expect(await send('GET', `${server.url}/v1/watch?service=web`)).toMatchObject({
      body: { code: 'warming_up' },
    });
    // Nobody's instances are behind this one.
    expect((await send('GET', url('bare'))).status).toBe(200);
    const path = `${server.url}/v1/namespaces/default/services/web/instances/a`;
    await send('PUT', path, { ports: { http: 1 } });
    expect((await send('GET', url('web'))).status).toBe(200);
  });
});
