import { LATENCY_BOUNDS_MS } from '@rollcall/contract';
import { afterEach, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer } from '../testing/test-server.ts';

const READER = 'reader-token-0123456789';
const OTHER = 'other-token-01234567890';
const ADMIN = 'admin-token-01234567890';

let server: RegistryServer;
afterEach(() => server.close());

async function start(...flags: string[]) {
  server = await startTestServer(
    `--token=${READER}=read:shop`,
    `--token=${OTHER}=register:*/*`,
    `--token=${ADMIN}`,
    ...flags,
  );
}

const latencies = LATENCY_BOUNDS_MS.map(() => 0).concat(3);
const entry = { service: 'web', endpoint: 'a/http', calls: 3, failures: 0, inFlight: 1, latencies };

async function call(method: string, path: string, body?: unknown, token = READER) {
  const response = await fetch(`${server.url}/v1/namespaces/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

test('who may read a namespace reports its calls there, and reads those of all', async () => {
  await start();
  const unknown = { ...entry, endpoint: 'unknown/http' };
  const put = await call('PUT', 'shop/traffic/one', {
    windowMs: 1_000,
    endpoints: [entry, unknown],
  });
  expect(put.status).toBe(204);
  // Names that are not on the roll are shown to nobody.
  expect((await call('GET', 'shop/traffic')).body.endpoints).toEqual([]);
  const at = 'shop/services/web/instances/a';
  expect((await call('PUT', at, { ports: { http: 1 } }, ADMIN)).status).toBe(200);
  const { status, body } = await call('GET', 'shop/traffic');
  expect(status).toBe(200);
  expect(body.server).toMatch(/^[0-9a-f]{16}$/);
  expect(body.endpoints).toEqual([
    {
      namespace: 'shop',
      service: 'web',
      endpoint: 'a/http',
      callers: 1,
      callsPerSecond: 3,
      failuresPerSecond: 0,
      inFlight: 1,
      latencies,
    },
  ]);
});

test('not in another namespace, and not without a scope for reading', async () => {
  await start();
  const report = { windowMs: 1_000, endpoints: [entry] };
  expect((await call('PUT', 'default/traffic/one', report)).status).toBe(403);
  expect((await call('GET', '*/traffic')).status).toBe(403);
  expect((await call('PUT', 'shop/traffic/one', report, OTHER)).status).toBe(403);
  expect((await call('GET', 'shop/traffic', undefined, OTHER)).status).toBe(403);
});

test.each([
  [{ windowMs: 0, endpoints: [] }, 'windowMs', 'expected whole milliseconds, 10 to 3600000'],
  [
    { windowMs: 1_000, endpoints: [{ ...entry, latencies: [1] }] },
    'endpoints.0.latencies',
    'expected 51 counts',
  ],
  [
    { windowMs: 1_000, endpoints: [{ ...entry, calls: -1 }] },
    'endpoints.0.calls',
    'expected a count',
  ],
  [
    { windowMs: 1_000, endpoints: [{ ...entry, endpoint: '' }] },
    'endpoints.0.endpoint',
    'expected the id of an endpoint',
  ],
])('%j is refused by field %s', async (report, field, why) => {
  await start();
  const { status, body } = await call('PUT', 'shop/traffic/one', report);
  expect(status).toBe(400);
  expect(body.field).toBe(field);
  expect(body.message).toContain(why);
  expect((await call('GET', 'shop/traffic')).body.endpoints).toEqual([]);
});

test('reports have a limit of their own', async () => {
  await start('--max-writes-per-second=2');
  const put = (i: number) => call('PUT', `shop/traffic/c${i}`, { windowMs: 1_000, endpoints: [] });
  const results = await Promise.all([1, 2, 3, 4, 5, 6].map(put));
  expect(results.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
  const registered = await call(
    'PUT',
    'shop/services/web/instances/a',
    { ports: { http: 1 } },
    OTHER,
  );
  expect(registered.status).toBe(200);
});
