import type { ManifestObject } from '@rollcall/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, type Reply, serviceText } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;

beforeEach(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
  await api.apply(serviceText('web', { type: 'LoadBalancer', ports: [{ port: 80 }] }));
});
afterEach(async () => {
  await server.close();
});

const patchStatus = (status: object, path = 'services/web'): Promise<Reply> =>
  api.object('PATCH', `${path}/status`, JSON.stringify({ status }), 'application/merge-patch+json');

const addresses = (...ingress: object[]) => ({ loadBalancer: { ingress } });

const statusOf = async (path = 'services/web') =>
  (await api.read(path))['status'] as Record<string, unknown>;

test('a status is written alone: nothing else of the object changes, and a write of the rest keeps it', async () => {
  const before = await api.read('services/web');
  const condition = {
    type: 'acme.io/Ready',
    status: 'True',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
    reason: 'Made',
    message: 'ok',
  };
  const whole = {
    ...before,
    spec: { type: 'ClusterIP', ports: [{ port: 81 }] },
    status: {
      ...addresses({ ip: '203.0.113.7' }, { hostname: 'lb.example.com' }),
      conditions: [condition],
    },
  };
  const { status, body } = await api.object('PUT', 'services/web/status', JSON.stringify(whole));
  expect(status).toBe(200);
  const after = body as ManifestObject;
  expect(after['spec']).toEqual(before['spec']);
  const written = {
    conditions: [condition],
    ...addresses({ ip: '203.0.113.7', ipMode: 'VIP' }, { hostname: 'lb.example.com' }),
  };
  expect(after['status']).toEqual(written);
  await api.apply(serviceText('web', { type: 'LoadBalancer', ports: [{ port: 82 }] }));
  expect(await statusOf()).toEqual(written);
  // Whoever puts back what was shown changes nothing.
  const shown = await api.read('services/web');
  await api.object('PUT', 'services/web/status', JSON.stringify(shown));
  expect(await api.read('services/web')).toEqual(shown);
  // The addresses belong to the balancer; the conditions do not.
  await api.apply(serviceText('web', { type: 'ClusterIP', ports: [{ port: 82 }] }));
  expect(await statusOf()).toEqual({ conditions: [condition], loadBalancer: {} });
});

test.each([
  { status: null },
  { status: { conditions: null } },
  { status: { loadBalancer: { ingress: [] } } },
])('after the patch %j of a status that is not there, nothing has changed', async (patch) => {
  const before = await api.read('services/web');
  const json = 'application/merge-patch+json';
  await api.object('PATCH', 'services/web/status', JSON.stringify(patch), json);
  expect(await api.read('services/web')).toEqual(before);
  const { results } = await api.apply(JSON.stringify(before), '?mode=replace');
  expect(results[0]?.action).toBe('unchanged');
});

test('what a manifest says of the status is not taken', async () => {
  const text = JSON.parse(
    serviceText('web', { type: 'LoadBalancer', ports: [{ port: 80 }] }),
  ) as object;
  const status = addresses({ ip: '203.0.113.9' });
  await api.apply(JSON.stringify({ ...text, status }));
  expect(await statusOf()).toEqual({ loadBalancer: {} });
});

test.each([
  [{ ip: '300.1.1.1' }, 'ip: Invalid value: "300.1.1.1": must be a valid IP address'],
  [
    { ip: '203.0.113.7', ipMode: 'Vip' },
    'ipMode: Unsupported value: "Vip": supported values: "Proxy", "VIP"',
  ],
  [
    { hostname: 'a.b', ipMode: 'VIP' },
    'ipMode: Forbidden: may not be specified when `ip` is not set',
  ],
  [{ hostname: 'A b' }, 'hostname: Invalid value: "A b": a lowercase RFC 1123 subdomain'],
  [
    { hostname: '203.0.113.7' },
    'hostname: Invalid value: "203.0.113.7": must be a DNS name, not an IP',
  ],
])('%j is refused', async (address, message) => {
  const { status, body } = await patchStatus(addresses(address));
  expect(status).toBe(422);
  expect(body).toMatchObject({
    detail: expect.stringContaining(`status.loadBalancer.ingress[0].${message}`) as string,
  });
  expect(await statusOf()).toEqual({ loadBalancer: {} });
});

test('only a service of type LoadBalancer has addresses of one', async () => {
  await api.apply(serviceText('plain', { ports: [{ port: 80 }] }));
  const { body } = await patchStatus(addresses({ ip: '203.0.113.7' }), 'services/plain');
  expect(body).toMatchObject({
    detail:
      'Service "plain": status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is \'LoadBalancer\'',
  });
});

test('a status that was read before another write is refused', async () => {
  const before = await api.read('services/web');
  await patchStatus(addresses({ ip: '203.0.113.7' }));
  const { status, body } = await api.object('PUT', 'services/web/status', JSON.stringify(before));
  expect(status).toBe(409);
  expect(body).toMatchObject({ code: 'object_changed' });
});

test('what balancers report is shown beside it, and not written back', async () => {
  const report = { loadBalancer: [{ ip: '198.51.100.1' }], forMs: 60_000 };
  const path = '/v1/namespaces/default/services/web/reports/lb-1';
  await api.call('PUT', path, JSON.stringify(report), 'application/json');
  await patchStatus(addresses({ ip: '203.0.113.7', ipMode: 'Proxy' }));
  const shown = await api.read('services/web');
  expect(shown['status']).toEqual(
    addresses({ ip: '203.0.113.7', ipMode: 'Proxy' }, { ip: '198.51.100.1' }),
  );
  await api.object('PUT', 'services/web/status', JSON.stringify(shown));
  await api.call('DELETE', path);
  expect(await statusOf()).toEqual(addresses({ ip: '203.0.113.7', ipMode: 'Proxy' }));
});

test('packets arrive with the addresses that are virtual, and not with those of a proxy', async () => {
  await patchStatus(addresses({ ip: '203.0.113.7' }, { ip: '203.0.113.8', ipMode: 'Proxy' }));
  const { declared } = await api.resolve('web');
  expect(declared).toMatchObject({ loadBalancerIPs: ['203.0.113.7'] });
});

test('a kind without one says so', async () => {
  await api.apply(
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: {} },
      },
    }),
  );
  for (const path of ['deployments/web', 'endpoints/web', 'endpointslices/web']) {
    const { status, body } = await patchStatus({}, path);
    expect(status).toBe(404);
    expect(body).toMatchObject({
      detail: expect.stringContaining('could not find the requested resource') as string,
    });
  }
});
