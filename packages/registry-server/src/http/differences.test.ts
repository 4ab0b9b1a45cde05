import type { ManifestObject } from '@rollcall/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, NGINX, portsOf, serviceText, specOf } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

// The numbers are those of docs/kubernetes-differences.md.

let server: RegistryServer;
let api: ManifestApi;
beforeAll(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterAll(() => server.close());

const declared = async (text: string, query = '') => {
  const { results } = await api.apply(text, query);
  return results[0]?.object as ManifestObject;
};

test('O1: the paths are not those of a Kubernetes API server', async () => {
  expect((await api.call('GET', '/api/v1/namespaces/default/services')).status).toBe(404);
  expect((await api.object('GET', 'services')).status).toBe(200);
});

test('O2: hand-written addresses and external IPs may be loopback addresses', async () => {
  const endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'local' },
    subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: 80 }] }],
  };
  expect((await api.apply(JSON.stringify(endpoints))).results[0]?.action).toBe('created');
  const allowing = await startTestServer('--allow-external-ip', '127.0.0.0/8');
  const spec = { ports: [{ port: 80 }], externalIPs: ['127.0.0.9'] };
  await new ManifestApi(allowing).apply(serviceText('own', spec));
  await allowing.close();
});

test('O3: what was exported can be declared again, also as a new object', async () => {
  const before = await declared(serviceText('moved', { ports: [{ port: 80 }] }));
  await api.object('DELETE', 'services/moved');
  const after = await declared(JSON.stringify(before), '?mode=create');
  expect(after.metadata.uid).not.toBe(before.metadata.uid);
  // The same for what is there, under another uid.
  const { metadata, ...rest } = before;
  const { resourceVersion: _, ...known } = metadata;
  const again = await api.apply(JSON.stringify({ ...rest, metadata: known }));
  expect(again.results[0]?.object?.metadata.uid).toBe(after.metadata.uid);
});

test('O4: a write of the status leaves the metadata alone', async () => {
  await api.apply(serviceText('lb', { type: 'LoadBalancer', ports: [{ port: 80 }] }));
  const patch = { metadata: { labels: { a: 'b' } }, status: { conditions: [] } };
  const type = 'application/merge-patch+json';
  await api.object('PATCH', 'services/lb/status', JSON.stringify(patch), type);
  expect((await api.read('services/lb')).metadata).not.toHaveProperty('labels');
});

test('O5: the status of a deployment is counted, and nobody writes it', async () => {
  const template = { metadata: { labels: { app: 'counted' } } };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'counted' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'counted' } }, template },
  };
  await api.apply(JSON.stringify(deployment));
  await api.register('counted/a', { address: '127.0.0.1', ports: { http: 80 } });
  expect((await api.read('deployments/counted'))['status']).toMatchObject({ replicas: 1 });
  const patch = '{"status":{"replicas":7}}';
  const { status } = await api.object(
    'PATCH',
    'deployments/counted/status',
    patch,
    'application/merge-patch+json',
  );
  expect(status).toBe(404);
});

test('O8: kinds that Rollcall does not have are refused', async () => {
  const { detail } = await api.refused(
    '{ apiVersion: v1, kind: ConfigMap, metadata: { name: a } }',
  );
  expect(detail).toContain('ConfigMap');
});

test('O9: writers are named, without their fields', async () => {
  await api.apply(serviceText('written', { ports: [{ port: 80 }] }), '?fieldManager=alice');
  const [entry] = (await api.read('services/written')).metadata['managedFields'] as object[];
  expect(Object.keys(entry ?? {}).toSorted()).toEqual([
    'apiVersion',
    'manager',
    'operation',
    'time',
  ]);
});

test.each([
  ['O11', { externalTrafficPolicy: 'Local', type: 'NodePort' }, 'externalTrafficPolicy'],
  ['O11', { internalTrafficPolicy: 'Local' }, 'internalTrafficPolicy'],
  ['O11', { trafficDistribution: 'PreferClose' }, 'trafficDistribution'],
])('%s: %j is stored, and said to route nothing', async (_, spec, field) => {
  const { results } = await api.apply(serviceText('policies', { ports: [{ port: 80 }], ...spec }));
  expect(results[0]?.warnings).toContainEqual(expect.stringContaining(`spec.${field}: `));
  await api.object('DELETE', 'services/policies');
});

test('O12: SCTP is stored and resolved, and not carried', async () => {
  const ports = [{ port: 80, protocol: 'SCTP' }];
  const { results } = await api.apply(serviceText('sctp', { ports }));
  expect(results[0]?.warnings).toEqual([expect.stringContaining('SCTP')]);
});

test('O13: derived slices have names that every server makes alike, and no uid', async () => {
  await api.register('nginx/a', { address: '127.0.0.1', ports: { http: 80 } });
  await api.apply(NGINX);
  const slices = await api.list('endpointslices', '?selector=kubernetes.io/service-name=nginx');
  for (const { metadata } of slices) {
    expect(metadata.name).toMatch(/^nginx-[0-9a-f]{10}$/);
    expect(metadata.uid).toBeUndefined();
    expect(metadata).not.toHaveProperty('generation');
  }
  expect(slices).toHaveLength(1);
});

test('O14: instances make a service of their own, that nobody declared', async () => {
  await api.register('only/a', { address: '127.0.0.1', ports: { http: 80 } });
  const { metadata } = await api.read('services/only');
  expect(metadata.annotations).toEqual({ 'rollcall.dev/implicit': 'true' });
  const refused = await api.refused(
    serviceText('only', { ports: [{ port: 80 }] }),
    '?mode=replace',
  );
  expect(refused.detail).toContain('services "only" not found');
});

test('O15: the service of the registry is named rollcall, not kubernetes', async () => {
  await expect.poll(async () => (await api.object('GET', 'services/rollcall')).status).toBe(200);
  expect((await api.object('GET', 'services/kubernetes')).status).toBe(404);
});

test('O18: an instance without a port of the name of the target is no endpoint', async () => {
  await api.register('partly/a', { address: '127.0.0.1', ports: { http: 80 } });
  const ports = [{ port: 80, targetPort: 'admin' }];
  await api.apply(serviceText('named', { selector: { app: 'partly' }, ports }));
  const [slice] = await api.list('endpointslices', '?selector=kubernetes.io/service-name=named');
  expect(slice?.['endpoints'] ?? []).toEqual([]);
});

test('O19: zones are hints only where a service asks for it, whatever topology-mode says', async () => {
  await api.register('zoned/a', { address: '127.0.0.1', zone: 'z1', ports: { http: 80 } });
  const zoned = JSON.parse(
    serviceText('hinted', { selector: { app: 'zoned' }, ports: [{ port: 80 }] }),
  ) as { metadata: object };
  const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
  await api.apply(JSON.stringify({ ...zoned, metadata: { ...zoned.metadata, annotations } }));
  const [slice] = await api.list('endpointslices', '?selector=kubernetes.io/service-name=hinted');
  expect(slice).toMatchObject({ endpoints: [{ zone: 'z1' }] });
  expect(JSON.stringify(slice)).not.toContain('hints');
});

test('O21: balancers write no status of an HTTPRoute', async () => {
  const route = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'shop' },
    spec: { rules: [{ backendRefs: [{ name: 'nginx', port: 80 }], timeouts: { request: '1s' } }] },
  };
  await api.apply(JSON.stringify(route));
  expect(await api.read('httproutes/shop')).not.toHaveProperty('status');
});

test('O22: a backend that is no service is stored, and said to be routed to by nobody', async () => {
  const resource = { apiGroup: 'acme.io', kind: 'Bucket', name: 'files' };
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'files' },
    spec: { defaultBackend: { resource } },
  };
  const { results } = await api.apply(JSON.stringify(ingress));
  expect(results[0]?.warnings).toEqual([
    'spec.defaultBackend.resource is stored; balancers route only to services',
  ]);
});

test('O23: the address that a load balancer is asked for is an address', async () => {
  const spec = { type: 'LoadBalancer', ports: [{ port: 80 }], loadBalancerIP: 'any' };
  expect((await api.refused(serviceText('asked', spec))).detail).toContain(
    'spec.loadBalancerIP: Invalid value: "any": must be a valid IP address',
  );
});

test.each(['010.1.1.1', '::ffff:10.1.1.1'])('O24: %s is refused', async (ip) => {
  const subsets = [{ addresses: [{ ip }], ports: [{ port: 80 }] }];
  const text = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'odd' }, subsets };
  expect((await api.refused(JSON.stringify(text))).detail).toContain('subsets[0].addresses[0].ip');
});

test('O25: an ExternalName has no policy for traffic inside', async () => {
  await api.apply(serviceText('turned', { ports: [{ port: 80 }] }));
  const { spec, ...rest } = await api.read('services/turned');
  const next = { ...(spec as object), type: 'ExternalName', externalName: 'a.example' };
  await api.object('PUT', 'services/turned', JSON.stringify({ ...rest, spec: next }));
  expect(specOf(await api.read('services/turned'))).not.toHaveProperty('internalTrafficPolicy');
});

test('O26: applied ports are merged by number and protocol', async () => {
  const ports = (name: string) => [
    { name: 'tcp', port: 53, protocol: 'TCP' },
    { name, port: 53, protocol: 'UDP' },
  ];
  await api.apply(serviceText('dns', { ports: ports('udp') }));
  await api.apply(serviceText('dns', { ports: ports('datagrams') }));
  expect(portsOf(await api.read('services/dns'))).toMatchObject(ports('datagrams'));
});

test('O27: PUT and PATCH tell no warnings', async () => {
  const text = serviceText('quiet', { ports: [{ port: 80, protocol: 'SCTP' }] });
  const { body } = await api.object('PUT', 'services/quiet', text);
  expect(body).not.toHaveProperty('warnings');
  expect((await api.apply(text)).results[0]?.warnings).toHaveLength(1);
});

test('O28: Endpoints and names of hosts in slices are not called deprecated', async () => {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'hosts' },
    addressType: 'FQDN',
    endpoints: [{ addresses: ['a.example'] }],
  };
  const subsets = [{ addresses: [{ ip: '10.1.1.1' }], ports: [{ port: 80 }] }];
  const endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'old' }, subsets };
  for (const object of [slice, endpoints])
    expect((await api.apply(JSON.stringify(object))).results[0]?.warnings).toEqual([]);
});

test('O29: a renamed port keeps its node port, and a second protocol shares it', async () => {
  const port = (name: string, protocol = 'TCP') => ({ name, port: 80, protocol });
  const put = (...ports: object[]) =>
    api.object('PUT', 'services/node', serviceText('node', { type: 'NodePort', ports }));
  await put(port('a'));
  const [before] = portsOf(await api.read('services/node'));
  await put(port('b'), port('c', 'UDP'));
  const after = portsOf(await api.read('services/node'));
  expect(after.map(({ nodePort }) => nodePort)).toEqual([
    before?.['nodePort'],
    before?.['nodePort'],
  ]);
});

test('O30: of a deployment, what means nothing here is stored as it was written', async () => {
  const deploymentText = (app: string) =>
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'loose' },
      spec: {
        selector: { matchLabels: { app } },
        template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'c', mine: 1 }] } },
        paused: 'soon',
      },
    });
  const { spec } = await declared(deploymentText('a'));
  expect(spec).toMatchObject({
    replicas: 1,
    paused: 'soon',
    template: { spec: { containers: [{ name: 'c', mine: 1 }] } },
  });
  expect(spec).not.toHaveProperty('strategy');
  const moved = await declared(deploymentText('b'));
  expect(moved.spec).toMatchObject({ selector: { matchLabels: { app: 'b' } } });
});

test('O31: reported conditions name their reporter, and have no time of transition', async () => {
  await api.apply(serviceText('reported', { ports: [{ port: 80 }] }));
  const condition = { type: 'ClusterIPBound', status: 'True', reason: 'Bound', message: 'all' };
  const path = '/v1/namespaces/default/services/reported/reports/proxy';
  await api.call('PUT', path, JSON.stringify({ conditions: [condition] }), 'application/json');
  const { conditions } = (await api.read('services/reported'))['status'] as {
    conditions: object[];
  };
  expect(conditions).toContainEqual({ ...condition, message: 'proxy: all' });
});

const SLICE = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'typed' },
  addressType: 'IPv4',
};

test('O32: the type IP of addresses is unknown, also where the type may not change', async () => {
  await api.apply(JSON.stringify({ ...SLICE, endpoints: [] }));
  const text = JSON.stringify({ ...SLICE, addressType: 'IP', endpoints: [] });
  const { status, body } = await api.object('PUT', 'endpointslices/typed', text);
  expect(status).toBe(422);
  expect((body as { detail: string }).detail).toContain('addressType: Unsupported value: "IP"');
});

test('O33: a zone in deprecatedTopology is taken and dropped', async () => {
  const deprecatedTopology = { 'topology.kubernetes.io/zone': 'z1' };
  const endpoints = [{ addresses: ['10.1.1.1'], deprecatedTopology }];
  const metadata = { name: 'old-zone' };
  await api.apply(JSON.stringify({ ...SLICE, metadata, endpoints }));
  const shown = await api.read('endpointslices/old-zone');
  expect(shown['endpoints']).toEqual([{ addresses: ['10.1.1.1'] }]);
});
