import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Agent, request } from 'undici';
import type { RegistryServer } from '../compose.ts';
import { ConfigError } from '@rollcall/daemon';
import { readConfig } from '../config.ts';
import { startTestServer } from '../testing/test-server.ts';

const ADMIN = 'admin-token-0123456789';
const ORDERS = 'orders-token-0123456789';
const READER = 'reader-token-0123456789';
const dir = mkdtempSync(join(tmpdir(), 'registry-security-'));
let server: RegistryServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function register(
  token: string | undefined,
  service: string,
  over: Record<string, unknown> = {},
) {
  const response = await fetch(
    `${server?.url}/v1/namespaces/default/services/${service}/instances/a`,
    {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ ports: { http: 1 }, ...over }),
    },
  );
  const body = (await response.json()) as { code?: string; field?: string };
  return { status: response.status, code: body.code, field: body.field };
}

const get = async (token: string | undefined, path: string) => {
  const headers: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await fetch(`${server?.url}${path}`, { headers })).status;
};

describe('tokens', () => {
  const tokens = [
    '--token',
    ADMIN,
    '--token',
    `${ORDERS}=read,register:orders`,
    '--token',
    `${READER}=read`,
  ];

  test('each covers what its scopes say, and no more', async () => {
    server = await startTestServer(...tokens);
    expect(await register(undefined, 'orders')).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    });
    expect(await register('wrong-token-0123456789', 'orders')).toMatchObject({ status: 401 });
    expect(await register(READER, 'orders')).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await register(ORDERS, 'payments')).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await register(ORDERS, 'orders')).toMatchObject({ status: 200 });
    expect(await register(ADMIN, 'payments')).toMatchObject({ status: 200 });
    expect(await get(READER, '/v1/namespaces/default/services')).toBe(200);
    expect(await get(undefined, '/v1/namespaces/default/services')).toBe(401);
    expect(await get(undefined, '/livez')).toBe(200);
    const override = await fetch(
      `${server.url}/v1/namespaces/default/services/orders/instances/a/override`,
      {
        method: 'PUT',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${ORDERS}` },
        body: JSON.stringify({ status: 'down', author: 'me', reason: 'because' }),
      },
    );
    expect(override.status).toBe(403);
  });

  test('the label app is the service’s own name unless an admin says otherwise', async () => {
    server = await startTestServer(...tokens);
    const labels = { app: 'payments' };
    expect(await register(ORDERS, 'orders', { labels })).toMatchObject({
      code: 'label_forbidden',
      field: 'labels.app',
    });
    expect(await register(ORDERS, 'orders', { labels: { app: 'orders' } })).toMatchObject({
      status: 200,
    });
    expect(await register(ADMIN, 'orders', { labels })).toMatchObject({ status: 200 });
    const patch = async (body: object) => {
      const url = `${server?.url}/v1/namespaces/default/services/orders/instances/a`;
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${ORDERS}` };
      return (await fetch(url, { method: 'PATCH', headers, body: JSON.stringify(body) })).status;
    };
    expect(await patch({ labels: { app: 'payments' } })).toBe(403);
    expect(await patch({ labels: { app: null } })).toBe(403);
    expect(await patch({ weight: 5, labels: { colour: 'blue' } })).toBe(200);
  });

  test('addresses outside the allow-list need an admin', async () => {
    server = await startTestServer(...tokens, '--allow-address', '10.0.0.0/8');
    expect(await register(ORDERS, 'orders', { address: '10.1.2.3' })).toMatchObject({
      status: 200,
    });
    expect(await register(ORDERS, 'orders', { address: '127.0.0.1' })).toMatchObject({
      status: 200,
    });
    const outside = await register(ORDERS, 'orders', { address: '192.168.1.1' });
    expect(outside).toMatchObject({ code: 'address_forbidden', field: 'address' });
    expect(await register(ADMIN, 'orders', { address: '192.168.1.1' })).toMatchObject({
      status: 200,
    });
  });

  test('on a public address, loopback and link-local cannot be registered for others', async () => {
    server = await startTestServer(...tokens, '--host', '0.0.0.0');
    const { port } = new URL(server.url);
    const listening = server;
    server = { url: `http://127.0.0.1:${port}`, close: () => listening.close() };
    expect(await register(ORDERS, 'orders', { address: '127.0.0.2' })).toMatchObject({
      code: 'address_forbidden',
    });
    expect(await register(ORDERS, 'orders', { address: '169.254.169.254' })).toMatchObject({
      code: 'address_forbidden',
    });
    expect(await register(ORDERS, 'orders', { address: '192.168.1.1' })).toMatchObject({
      status: 200,
    });
    const disguised = ['127.0.0.1', 'localhost', 'LOCALHOST', 'db.internal', '::1', '::127.0.0.1'];
    for (const address of [...disguised, '::ffff:127.0.0.1', '64:ff9b::7f00:1', 'fe80::1']) {
      expect(await register(ORDERS, 'orders', { address }), address).toMatchObject({
        code: 'address_forbidden',
      });
    }
    for (const address of [
      '224.0.0.1',
      '239.255.255.250',
      '240.0.0.1',
      '255.255.255.255',
      '0.0.0.0',
      'ff02::1',
      'ff0e::1',
      'fec0::1',
      '::ffff:0:127.0.0.1',
      '64:ff9b:1::7f00:1',
      '2002:7f00:1::',
      '2002:a9fe:a9fe::1',
      '2002:e000:1::1',
      '2002::1',
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.192',
      'fd00:ec2::254',
    ]) {
      expect(await register(ORDERS, 'orders', { address }), address).toMatchObject({
        code: 'address_forbidden',
      });
    }
    for (const address of ['100.64.0.7', 'fd12:3456::1', '2002:c000:204::1', '2001:db8::1']) {
      expect(await register(ORDERS, 'orders', { address }), address).toMatchObject({ status: 200 });
    }
    // Its own address, when that is loopback, is no better.
    expect(await register(ORDERS, 'orders')).toMatchObject({ code: 'address_forbidden' });
    expect(await register(ADMIN, 'orders')).toMatchObject({ status: 200 });
  });

  test('the registry’s own service is for admins', async () => {
    server = await startTestServer('--token', ADMIN, '--token', `${ORDERS}=register:*`);
    expect(await register(ORDERS, 'rollcall')).toMatchObject({ status: 403, field: 'svc' });
    expect(await register(ORDERS, 'orders')).toMatchObject({ status: 200 });
  });

  test('come from a file too', async () => {
    const file = join(dir, 'tokens');
    writeFileSync(
      file,
      `# who may what\n${ORDERS}=register:orders # the orders team\n\n${ADMIN}\n`,
    );
    server = await startTestServer('--token-file', file);
    expect(await register(ORDERS, 'orders')).toMatchObject({ status: 200 });
    expect(await register(ADMIN, 'other')).toMatchObject({ status: 200 });
    writeFileSync(file, '# nobody yet\n');
    await expect(startTestServer('--token-file', file)).rejects.toThrow(
      /--token-file .*at least one TOKEN/,
    );
  });

  test('a wrong one is refused at start, by its number and never by its text', async () => {
    const weak = startTestServer('--token', 'short');
    await expect(weak).rejects.toThrow(/token 1: expected 16 to 512/);
    await expect(weak).rejects.not.toThrow(/short$/);
    await expect(startTestServer('--token', `${ADMIN}=everything`)).rejects.toThrow(
      /token 1: expected scopes.*"everything"/,
    );
    await expect(startTestServer('--token', `${ADMIN}=read=orders`)).rejects.toThrow(
      /token 1: expected scopes.*"read=orders"/,
    );
  });

  test('G7: writes of one caller are limited, whatever it claims to be', async () => {
    server = await startTestServer('--max-writes-per-second', '5');
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, i) => register(`made-up-token-0123456789-${i}`, 'orders')),
    );
    expect(made.map(({ code }) => code)).toContain('rate_limited');
    await server.close();
    server = await startTestServer('--max-writes-per-second', '5');
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 12; i++) codes.push((await register(undefined, 'orders')).code);
    expect(codes).toContain('rate_limited');
    expect(codes.slice(0, 5)).toEqual(Array(5).fill(undefined));
  });
});

describe('TLS', () => {
  const tls = (name: string) => fileURLToPath(new URL(`../testing/tls/${name}`, import.meta.url));

  test('serves HTTPS, and with a client CA only those who have its certificate', async () => {
    server = await startTestServer(
      '--tls-cert',
      tls('server.pem'),
      '--tls-key',
      tls('server.key'),
      '--tls-client-ca',
      tls('client.pem'),
    );
    expect(server.url).toMatch(/^https:/);
    const ca = readFileSync(tls('server.pem'));
    const known = new Agent({
      connect: { ca, key: readFileSync(tls('client.key')), cert: readFileSync(tls('client.pem')) },
    });
    const stranger = new Agent({ connect: { ca } });
    expect((await request(`${server.url}/livez`, { dispatcher: known })).statusCode).toBe(200);
    await expect(request(`${server.url}/livez`, { dispatcher: stranger })).rejects.toThrow(
      /certificate|closed|ECONNRESET/i,
    );
    // A stream is written to the bare socket: it must be encrypted all the same.
    const stream = await request(`${server.url}/v1/watch?service=orders`, { dispatcher: known });
    expect(stream.statusCode).toBe(200);
    stream.body.on('error', () => {}).destroy();
    await known.destroy();
    await stranger.destroy();
  });
});

describe('options', () => {
  const rejects = (argv: string[], message: RegExp, env: Record<string, string> = {}) => {
    expect(() => readConfig(argv, env)).toThrow(ConfigError);
    expect(() => readConfig(argv, env)).toThrow(message);
  };

  test('a public address without tokens is refused unless told otherwise', () => {
    rejects(
      ['--host', '0.0.0.0'],
      /--host 0\.0\.0\.0: other machines can reach this address, so expected --token/,
    );
    rejects(['--host', '10.1.2.3'], /--token/);
    expect(readConfig(['--host', '0.0.0.0', '--insecure'], {}).host).toBe('0.0.0.0');
    expect(readConfig(['--host', '0.0.0.0', '--token', ADMIN], {}).host).toBe('0.0.0.0');
    expect(readConfig(['--host', '127.8.8.8'], {}).host).toBe('127.8.8.8');
  });

  test('wrong ones are named, with the value and what was expected', () => {
    rejects(['--port', '70000'], /--port: expected a whole number, 0 to 65535, got "70000"/);
    rejects(['--port', 'http'], /--port: expected a whole number/);
    rejects([], /ROLLCALL_PORT: expected a whole number.*"x"/, { ROLLCALL_PORT: 'x' });
    rejects(['--store', 'mysql://x'], /--store: expected memory, or file:PATH, or redis/);
    for (const store of [
      'redis://h:99999',
      'redis://h/abc',
      'redis://h?password=s3cret',
      'redis://',
    ]) {
      rejects(['--store', store], /^--store: expected memory.*got \(not shown\)$/);
    }
    rejects(['--port='], /--port: expected a whole number/);
    rejects(['--port', '1e3'], /--port: expected a whole number/);
    rejects(['--max-writes-per-second='], /--max-writes-per-second: expected a whole number/);
    rejects(['--allow-address', ','], /--allow-address: expected networks/);
    rejects(['--prot', '1'], /--prot.*did you mean --port\?/);
    rejects(['--tls-cert', 'x'], /--tls-cert and --tls-key/);
    rejects(['--allow-address', '10.0.0.0/99'], /--allow-address: expected networks/);
    rejects(['--allow-address', '10.0.0.0/8/9'], /--allow-address: expected networks/);
    rejects(['--log-level', 'loud'], /--log-level: expected fatal/);
    rejects(['--port=-1', '--max-labels', '0'], /--port[^]*--max-labels/);
  });

  test('a flag wins over the environment, the environment over the default', () => {
    const env = {
      ROLLCALL_PORT: '1',
      ROLLCALL_MAX_LABELS: '5',
      ROLLCALL_TOKEN: `${ADMIN} ${READER}=read`,
    };
    const config = readConfig(['--port', '2'], env);
    expect(config).toMatchObject({ port: 2, maxLabels: 5, maxWatches: 10_000 });
    expect(config.token).toEqual([ADMIN, `${READER}=read`]);
  });

  test('a certificate that is none is named', async () => {
    const file = join(dir, 'none.pem');
    writeFileSync(file, 'no certificate');
    const wrong = startTestServer('--tls-cert', file, '--tls-key', file);
    await expect(wrong).rejects.toThrow(/^--tls-cert and --tls-key: expected PEM files/);
  });

  test('a port that is taken is named', async () => {
    server = await startTestServer();
    const { port } = new URL(server.url);
    await expect(startTestServer('--port', port)).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: another program listens there already; choose another address with --host or --port`,
    );
  });
});

describe('namespaces of scopes', () => {
  const TEAM = 'a-token-of-the-shop-team';
  const WIDE = 'a-token-that-goes-anywhere';
  const put = async (token: string, namespace: string, service: string) => {
    const url = `${server?.url}/v1/namespaces/${namespace}/services/${service}/instances/a`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const reply = await fetch(url, { method: 'PUT', headers, body: '{"ports":{"http":1}}' });
    const { message = '' } = (await reply.json()) as { message?: string };
    return `${reply.status} ${message}`.trim();
  };
  const read = async (token: string, path: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const stop = new AbortController();
    const reply = await fetch(`${server?.url}/v1/${path}`, { headers, signal: stop.signal });
    const isStream = reply.headers.get('content-type') === 'text/event-stream';
    const { message = '' } = isStream ? {} : ((await reply.json()) as { message?: string });
    stop.abort();
    return `${reply.status} ${message}`.trim();
  };

  test('a scope covers its namespace alone; without one it is default, and what is missing is named', async () => {
    server = await startTestServer(
      `--token=${ORDERS}=read,report,register:orders`,
      `--token=${TEAM}=read:shop,register:shop/orders,register:shop/cart`,
      `--token=${WIDE}=read:*,report:*,register:*/orders,register:lab/*`,
      `--token=${ADMIN}`,
    );
    expect(await put(ORDERS, 'default', 'orders')).toBe('200');
    expect(await put(ORDERS, 'shop', 'orders')).toBe(
      '403 the token does not cover register:shop/orders',
    );
    expect(await put(TEAM, 'shop', 'cart')).toBe('200');
    expect(await put(TEAM, 'shop', 'other')).toContain('register:shop/other');
    expect(await put(TEAM, 'default', 'orders')).toContain('register:default/orders');
    expect(await put(WIDE, 'anywhere', 'orders')).toBe('200');
    expect(await put(WIDE, 'lab', 'anything')).toBe('200');
    expect(await put(WIDE, 'shop', 'cart')).toContain('register:shop/cart');
    const paths = (ns: string) => [
      `namespaces/${ns}/services`,
      `namespaces/${ns}/instances`,
      `watch?namespace=${ns}`,
      `events?namespace=${ns}`,
    ];
    for (const [token, own] of [
      [ORDERS, 'default'],
      [TEAM, 'shop'],
      [WIDE, '*'],
    ] as const) {
      for (const ns of ['default', 'shop', '*']) {
        for (const path of paths(ns).filter((one) => ns !== '*' || !one.endsWith('services'))) {
          const said = await read(token, path);
          if (own === '*' || own === ns) expect(said, `${own} ${path}`).toBe('200');
          else expect(said, path).toBe(`403 the token does not cover read:${ns}`);
        }
      }
    }
    expect(await read(TEAM, 'watch')).toContain('read:default');
    expect(await read(TEAM, 'namespaces/default/manifests/services')).toContain('read:default');
    const report = async (token: string, ns: string) => {
      const url = `${server?.url}/v1/namespaces/${ns}/services/orders/reports/lb`;
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      return (await fetch(url, { method: 'PUT', headers, body: '{"conditions":[]}' })).status;
    };
    expect(await report(ORDERS, 'shop')).toBe(403);
    expect(await report(WIDE, 'shop')).not.toBe(403);
  });

  test.each([
    'read:',
    'read:No',
    'register:',
    'register:a/b/c',
    'register:/a',
    'report:a,b',
    'write',
  ])('%s is refused at the start, with the form that was expected', async (scope) => {
    const given = ['--port=0', `--token=${ORDERS}=${scope}`];
    await expect(startTestServer(...given)).rejects.toThrow('read:NAMESPACE');
  });
});

test('on a public address each token has limits; on loopback none, and an option says otherwise', () => {
  const quotas = (...argv: string[]) => {
    const config = readConfig([`--token=${ADMIN}`, ...argv], {});
    const { maxInstancesPerToken, maxServicesPerToken, maxWatchesPerToken } = config;
    return [maxInstancesPerToken, maxServicesPerToken, maxWatchesPerToken];
  };
  expect(quotas()).toEqual([0, 0, 0]);
  expect(quotas('--host=0.0.0.0')).toEqual([10_000, 1_000, 5_000]);
  const some = ['--max-instances-per-token=7', '--max-watches-per-token=0'];
  expect(quotas('--host=0.0.0.0', ...some)).toEqual([7, 1_000, 0]);
});
