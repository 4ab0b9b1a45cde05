import { connect } from 'node:net';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer, StreamReader } from '../testing/test-server.ts';

// A registrant with a valid token of its own that wants what is another's.

const ADMIN = 'admin-token-0123456789';
const VICTIM = 'victim-token-0123456789';
const THIEF = 'thief-token-0123456789';

let server: RegistryServer;
let lease: string;
const readers: StreamReader[] = [];

beforeEach(async () => {
  server = await startTestServer(
    `--token=${ADMIN}`,
    `--token=${VICTIM}=read,register:orders`,
    `--token=${THIEF}=read,register:thief`,
    '--allow-address=10.0.0.0/8',
  );
  const said = await ask(VICTIM, 'PUT', 'orders/o1', { ports: { http: 1 }, nonce: 'victim-12' });
  lease = (said.body['lease'] as { id: string }).id;
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await server.close();
});

interface Said {
  readonly status: number;
  readonly code: unknown;
  readonly body: Record<string, unknown>;
}

async function call(token: string, method: string, path: string, body?: unknown): Promise<Said> {
  const response = await fetch(`${server.url}/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.status, code: json['code'], body: json };
}

/** On an instance: `service/id`, with what follows it. */
function ask(token: string, method: string, instance: string, body?: unknown): Promise<Said> {
  const [service, rest] = instance.split('/', 2);
  const tail = instance.slice(`${service}/${rest}`.length);
  const path = `namespaces/default/services/${service}/instances/${rest}${tail}`;
  return call(token, method, path, body);
}

async function rollOf(service: string): Promise<unknown> {
  const { body } = await call(ADMIN, 'GET', `namespaces/default/services/${service}`);
  return body['roll'];
}

const PORTS = { ports: { http: 1 } };

test('G6: another’s name cannot be registered, changed, taken off or overridden', async () => {
  const before = await rollOf('orders');
  const attempts = [
    ask(THIEF, 'PUT', 'orders/o1?takeover=true', PORTS),
    ask(THIEF, 'PUT', 'orders/o2', PORTS),
    ask(THIEF, 'PATCH', 'orders/o1', { status: 'down' }),
    ask(THIEF, 'DELETE', 'orders/o1'),
    ask(THIEF, 'PUT', 'orders/o1/override', { status: 'down', author: 'x', reason: 'x' }),
    ask(THIEF, 'PUT', 'rollcall/o1', PORTS),
    call(THIEF, 'PUT', 'namespaces/default/manifests/service/orders', { kind: 'Service' }),
    call(THIEF, 'PUT', 'namespaces/default/services/orders/reports/me', { conditions: [] }),
    call(THIEF, 'GET', 'export'),
  ];
  for (const said of await Promise.all(attempts)) {
    expect(said).toMatchObject({ status: 403, code: 'forbidden' });
  }
  expect(await rollOf('orders')).toEqual(before);
});

test('G6: another’s lease is of no use on one’s own instance, and knowing it gives no right to the instance', async () => {
  expect((await ask(THIEF, 'PUT', 'thief/t1', PORTS)).status).toBe(200);
  const before = [await rollOf('orders'), await rollOf('thief')];
  for (const [method, body] of [
    ['PATCH', { weight: 1 }],
    ['DELETE', undefined],
  ] as const) {
    const mine = await ask(THIEF, method, `thief/t1?lease=${lease}`, body);
    expect(mine).toMatchObject({ status: 409, code: 'lease_superseded' });
    const theirs = await ask(THIEF, method, `orders/o1?lease=${lease}`, body);
    expect(theirs).toMatchObject({ status: 403, code: 'forbidden' });
  }
  expect([await rollOf('orders'), await rollOf('thief')]).toEqual(before);
});

test('G6: a lease id is shown to its owner alone, and cannot be guessed', async () => {
  const reader = await StreamReader.open(`${server.url}/v1/watch`, {
    authorization: `Bearer ${THIEF}`,
  });
  readers.push(reader);
  await until(() => reader.of('bookmark').length > 0);
  await ask(VICTIM, 'PATCH', 'orders/o1', { weight: 7 });
  await until(() => reader.of('change').length > 0);
  const shown = [JSON.stringify(reader.events)];
  for (const path of [
    'events',
    'namespaces/default/services/orders',
    'namespaces/default/instances',
  ]) {
    shown.push(JSON.stringify((await call(THIEF, 'GET', path)).body));
  }
  shown.push(await (await fetch(`${server.url}/metrics`)).text());
  const secret = lease.split('.')[2] as string;
  expect(secret).toMatch(/^[0-9a-f]{32}$/);
  for (const text of shown) {
    expect(text).toMatch(/orders|rollcall/);
    expect(text).not.toContain(secret);
    expect(text).not.toContain('victim-12');
  }
  const guesses = Array.from({ length: 500 }, (_, i) => `0.10000.${String(i).padStart(32, '0')}`);
  const said = await call(THIEF, 'POST', 'leases/renew', { leases: guesses });
  expect(said.body['unknown']).toHaveLength(500);
  const refused = await call(THIEF, 'PUT', `leases/${guesses[0]}`);
  expect(refused).toMatchObject({ status: 404, code: 'lease_unknown' });
});

test('G6: labels that another’s service selects, and its name as label, are refused', async () => {
  const spec = { selector: { tier: 'front' }, ports: [{ port: 80 }] };
  const manifest = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'front' }, spec };
  const path = 'namespaces/default/manifests/service/front';
  expect((await call(ADMIN, 'PUT', path, manifest)).status).toBe(200);
  for (const labels of [{ tier: 'front' }, { app: 'orders' }]) {
    const said = await ask(THIEF, 'PUT', 'thief/t1', { ...PORTS, labels });
    expect(said).toMatchObject({ status: 403, code: 'label_forbidden' });
  }
  await ask(THIEF, 'PUT', 'thief/t1', PORTS);
  const patched = await ask(THIEF, 'PATCH', 'thief/t1', { labels: { tier: 'front' } });
  expect(patched).toMatchObject({ status: 403, code: 'label_forbidden' });
});

test('G6: addresses outside the allow-list are refused, however they are written', async () => {
  const addresses = ['192.168.1.1', '169.254.169.254', '::ffff:192.168.1.1', 'metadata.internal'];
  for (const address of addresses) {
    const said = await ask(THIEF, 'PUT', 'thief/t1', { ...PORTS, address });
    expect(said, address).toMatchObject({ status: 403, code: 'address_forbidden' });
  }
  expect((await ask(THIEF, 'PUT', 'thief/t1', { ...PORTS, address: '10.1.1.1' })).status).toBe(200);
});

test('G7: fields of any size are refused, and nothing of them is kept or sent on', async () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
  const ports = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`p${i}`, i + 1]));
  const bodies: [object, number][] = [
    [{ ...PORTS, labels: many(65) }, 400],
    [{ ...PORTS, labels: { k: 'v'.repeat(64) } }, 400],
    [{ ...PORTS, labels: { ['k'.repeat(400)]: 'v' } }, 400],
    [{ ...PORTS, zone: 'z'.repeat(64) }, 400],
    [{ ...PORTS, nonce: 'n'.repeat(65) }, 400],
    [{ ...PORTS, address: `${'a'.repeat(63)}.`.repeat(5) }, 400],
    [{ ports }, 400],
    [{ ...PORTS, labels: { k: 'v'.repeat(2_000_000) } }, 413],
  ];
  for (const [body, status] of bodies) {
    expect((await ask(THIEF, 'PUT', 'thief/t1', body)).status).toBe(status);
  }
  expect((await ask(THIEF, 'PUT', `thief/${'i'.repeat(300)}`, PORTS)).status).toBe(400);
  const leases = Array.from({ length: 20_000 }, () => lease);
  expect((await call(THIEF, 'POST', 'leases/renew', { leases })).status).toBeGreaterThanOrEqual(
    400,
  );
  expect(await rollOf('thief')).toBeUndefined();
});

test('G7: who has no valid token is answered before the body is read', async () => {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString()));
  socket.write(
    'PUT /v1/namespaces/default/services/orders/instances/x HTTP/1.1\r\nhost: localhost\r\n' +
      'authorization: Bearer made-up-token-0123456789\r\ncontent-type: application/json\r\n' +
      'content-length: 1000000\r\n\r\n{',
  );
  await until(() => answer.includes('\r\n\r\n'));
  expect(answer).toMatch(/^HTTP\/1.1 401 /);
  socket.destroy();
});
