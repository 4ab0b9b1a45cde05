import { once } from 'node:events';
import { connect } from 'node:net';
import { request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { ROUTES } from '@rollcall/contract';
import type { RegistryServer } from '../compose.ts';
import { startTestServer } from '../testing/test-server.ts';

const TOKEN = 'a-token-of-an-admin-0';
const EVIL = 'https://evil.example';

let server: RegistryServer;
afterEach(() => server.close());
const start = async (...flags: string[]) => (server = await startTestServer(...flags));

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  const given = body === undefined ? {} : { body };
  const reply = await request(`${server.url}${path}`, { method, headers, ...given });
  const text = await reply.body.text();
  const { code = '' } = (text.startsWith('{') ? JSON.parse(text) : {}) as { code?: string };
  return { status: reply.statusCode, code, text, headers: reply.headers };
}

const REDIRECT = `apiVersion: v1
kind: Service
metadata: { name: orders }
spec: { type: ExternalName, externalName: evil.example }
`;

describe('a page of a stranger', () => {
  test('changes nothing by a form that needs no leave: text/plain is no manifest, and the origin is foreign', async () => {
    await start();
    const type = { 'content-type': 'text/plain' };
    const form = { method: 'POST', body: REDIRECT, headers: { ...type, origin: 'null' } };
    expect(await ask('/v1/apply', form)).toMatchObject({ status: 403, code: 'origin_refused' });
    for (const path of ['/v1/apply', '/v1/import']) {
      for (const value of ['text/plain', 'text/yaml', 'application/x-www-form-urlencoded', '']) {
        const headers: Record<string, string> = value === '' ? {} : { 'content-type': value };
        const asked = await ask(path, { method: 'POST', body: REDIRECT, headers });
        expect(asked, `${path} ${value}`).toMatchObject({ status: 415 });
      }
    }
    const list = await ask('/v1/namespaces/default/services');
    expect(list.text).not.toContain('orders');
    const yaml = { 'content-type': 'application/yaml' };
    expect(await ask('/v1/apply', { method: 'POST', body: REDIRECT, headers: yaml })).toMatchObject(
      { status: 200 },
    );
  });

  test('is let into no route, by origin or by a name of its own, before anything is read', async () => {
    await start();
    const own = [
      { method: 'GET', path: '/livez' },
      { method: 'GET', path: '/metrics' },
    ];
    const docs = ['/readyz', '/openapi.json', '/docs', '/docs/static/index.html', '/nothing'];
    const routes = [
      ...Object.values(ROUTES),
      ...own,
      ...docs.map((path) => ({ method: 'GET', path })),
    ];
    for (const { method, path } of routes) {
      const url = path.replaceAll(/:[a-z]+/g, 'x');
      const given = method === 'GET' ? { method } : { method, body: 'not read' };
      const foreign = { ...given, headers: { origin: EVIL, 'content-type': 'application/json' } };
      expect(await ask(url, foreign), url).toMatchObject({ status: 403, code: 'origin_refused' });
      const site = { ...given, headers: { 'sec-fetch-site': 'cross-site' } };
      expect(await ask(url, site), url).toMatchObject({ status: 403, code: 'origin_refused' });
      const rebound = { ...given, headers: { host: 'evil.example:7400' } };
      expect(await ask(url, rebound), url).toMatchObject({ status: 421, code: 'host_refused' });
    }
    const preflight = { method: 'OPTIONS', headers: { origin: EVIL } };
    expect(await ask('/v1/apply', preflight)).toMatchObject({ status: 403 });
    expect((await ask('/v1/apply', preflight)).headers).not.toHaveProperty(
      'access-control-allow-origin',
    );
  });

  test('is told which header, what came and how to allow it', async () => {
    await start();
    const { text, headers } = await ask('/livez', { headers: { host: 'evil.example' } });
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    const problem = JSON.parse(text) as Record<string, unknown>;
    expect(problem).toMatchObject({ status: 421, field: 'host', retryable: false });
    expect(String(problem['message'])).toContain('"evil.example"; --allow-host');
  });
});

describe('everybody else', () => {
  test('asks as before: own pages, loopback names, allowed hosts and origins', async () => {
    await start('--allow-host=registry,*.internal', '--allow-origin=https://console.example');
    const { host } = new URL(server.url);
    const same = { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    for (const headers of [
      {},
      same,
      { 'sec-fetch-site': 'none' },
      { host: 'registry:7400' },
      { host: 'a.internal' },
      { host: 'localhost' },
      { origin: 'https://console.example', 'sec-fetch-site': 'cross-site' },
    ]) {
      const asked = await ask('/v1/namespaces/default/services', { headers });
      expect(asked.status, JSON.stringify(headers)).toBe(200);
    }
    expect(await ask('/docs/', { headers: same })).toMatchObject({ status: 200 });
    expect(await ask('/livez', { headers: { origin: EVIL } })).toMatchObject({ status: 403 });
  });

  test('asks by the name under which the server is advertised', async () => {
    await start('--advertise=registry.shop.example');
    const path = '/v1/namespaces/default/services';
    const under = (host: string) => ask(path, { headers: { host } });
    expect(await under('registry.shop.example:7400')).toMatchObject({ status: 200 });
    expect(await under('shop.example')).toMatchObject({ status: 421 });
    expect(await under('evil.registry.shop.example')).toMatchObject({ status: 421 });
  });

  test('who bears a valid token may come from anywhere; a wrong one helps nobody', async () => {
    await start(`--token=${TOKEN}`);
    const path = '/v1/namespaces/default/services';
    const foreign = { host: 'registry.example', origin: EVIL };
    const bearing = (token: string) => ({
      headers: { ...foreign, authorization: `Bearer ${token}` },
    });
    expect(await ask(path, bearing(TOKEN))).toMatchObject({ status: 200 });
    expect(await ask(path, bearing('wrong'))).toMatchObject({ status: 421 });
    expect(await ask(path)).toMatchObject({ status: 401 });
  });

  test('HTTP/1.1 without Host gets a problem document; HTTP/1.0 an answer', async () => {
    await start();
    const { port } = new URL(server.url);
    const speak = async (text: string) => {
      const socket = connect(Number(port), '127.0.0.1');
      let heard = '';
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      socket.write(text);
      await once(socket, 'close');
      return heard;
    };
    const none = await speak('GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n');
    expect(none).toMatch(/^HTTP\/1.1 400 /);
    expect(none).toContain('application/problem+json');
    expect(none).toContain('"field":"host"');
    expect(await speak('GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });
});
