import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, serviceText } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterEach(() => server.close());

const ingressText = (name: string) =>
  JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  });

const pathOf = (name: string, reporter: string) =>
  `/v1/namespaces/default/ingresses/${name}/reports/${reporter}`;

const report = (name: string, reporter: string, loadBalancer: object[], more: object = {}) =>
  api.call(
    'PUT',
    pathOf(name, reporter),
    JSON.stringify({ loadBalancer, ...more }),
    'application/json',
  );

const statusOf = async (name: string) => (await api.read(`ingress/${name}`))['status'];

test('an Ingress has the addresses of all balancers: each once, sorted, with its ports', async () => {
  await api.apply(ingressText('web'));
  expect(await statusOf('web')).toEqual({ loadBalancer: {} });
  const ports = (...numbers: number[]) => numbers.map((port) => ({ port, protocol: 'TCP' }));
  await report('web', 'lb.b', [{ ip: '127.0.0.9', ports: ports(8080) }, { hostname: 'b.test' }]);
  await report('web', 'lb.a', [{ ip: '127.0.0.9', ports: ports(8443, 8080) }, { ip: '127.0.0.7' }]);
  const ingress = [
    { ip: '127.0.0.7' },
    { ip: '127.0.0.9', ports: ports(8080, 8443) },
    { hostname: 'b.test' },
  ];
  expect(await statusOf('web')).toEqual({ loadBalancer: { ingress } });
  expect((await api.list('ing'))[0]!['status']).toEqual({ loadBalancer: { ingress } });
  await api.call('DELETE', pathOf('web', 'lb.a'));
  await api.call('DELETE', pathOf('web', 'lb.b'));
  expect(await statusOf('web')).toEqual({ loadBalancer: {} });
});

test('without an address it is the one that the report comes from', async () => {
  await api.apply(ingressText('web'));
  await report('web', 'lb', [{ ports: [{ port: 80 }] }]);
  const ingress = [{ ip: '127.0.0.1', ports: [{ port: 80, protocol: 'TCP' }] }];
  expect(await statusOf('web')).toEqual({ loadBalancer: { ingress } });
});

test('a report ends by itself, and with its Ingress', async () => {
  await api.apply(ingressText('web'));
  await report('web', 'lb.short', [{ ip: '127.0.0.1' }], { forMs: 1_000 });
  await report('web', 'lb.long', [{ ip: '127.0.0.2' }]);
  await expect
    .poll(() => statusOf('web'), { timeout: 10_000 })
    .toEqual({ loadBalancer: { ingress: [{ ip: '127.0.0.2' }] } });
  await api.object('DELETE', 'ingress/web');
  await api.apply(ingressText('web'));
  expect(await statusOf('web')).toEqual({ loadBalancer: {} });
});

test('a service of the same name has none of it', async () => {
  const spec = { type: 'LoadBalancer', selector: { a: 'b' }, ports: [{ port: 80 }] };
  await api.apply(serviceText('web', spec));
  const absent = await report('web', 'lb', [{ ip: '127.0.0.1' }]);
  expect(absent).toMatchObject({
    status: 404,
    body: { code: 'object_not_found', message: 'ingresses.networking.k8s.io "web" not found' },
  });
  await api.apply(ingressText('web'));
  await report('web', 'lb', [{ ip: '127.0.0.1' }, { ports: [{ port: 80 }] }]);
  expect((await api.read('svc/web'))['status']).toEqual({ loadBalancer: {} });
  const { body } = await api.call('GET', '/v1/events?service=web');
  const { events } = body as { events: { kind: string; reason: string }[] };
  expect(events.filter(({ kind }) => kind === 'reported').map(({ reason }) => reason)).toEqual([
    'Ingress web: lb: reached at 127.0.0.1',
  ]);
});

test.each([
  [[{ ip: 'somewhere' }], 'loadBalancer.0.ip'],
  [[{ ip: '127.0.0.1', ports: [{ port: 0 }] }], 'loadBalancer.0.ports.0.port'],
  [[{ address: '127.0.0.1' }], 'loadBalancer.0'],
])('%j is refused', async (loadBalancer, field) => {
  await api.apply(ingressText('web'));
  const refused = await report('web', 'lb', loadBalancer);
  expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  expect(JSON.stringify(refused.body)).toContain(field);
  expect(await statusOf('web')).toEqual({ loadBalancer: {} });
});
