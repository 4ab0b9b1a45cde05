import type { ManifestObject } from '@rollcall/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, NGINX, serviceText } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterEach(() => server.close());

/** Everything that is shown, of every kind. */
async function everything(): Promise<ManifestObject[]> {
  const kinds = ['svc', 'ep', 'endpointslices', 'ing', 'ingressclasses', 'httproutes', 'deploy'];
  const lists = await Promise.all(kinds.map((kind) => api.list(kind)));
  // A service that is only there because instances registered is nobody's manifest.
  return lists
    .flat()
    .filter(({ metadata }) => metadata.annotations?.['rollcall.dev/implicit'] === undefined);
}

const OTHERS = `apiVersion: v1
kind: Endpoints
metadata: { name: manual }
subsets: [{ addresses: [{ ip: 10.1.1.1 }], ports: [{ port: 80 }] }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: written, labels: { kubernetes.io/service-name: manual } }
addressType: FQDN
endpoints: [{ addresses: [a.example] }]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: edge }
spec: { controller: acme.io/edge }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec: { ingressClassName: edge, defaultBackend: { service: { name: nginx, port: { number: 80 } } } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop }
spec: { rules: [{ backendRefs: [{ name: nginx, port: 80 }] }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: nginx }
spec: { selector: { matchLabels: { app: nginx } }, template: { metadata: { labels: { app: nginx } } } }
`;

const TYPES: readonly object[] = [
  { type: 'ClusterIP' },
  { type: 'NodePort' },
  {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    loadBalancerSourceRanges: ['10.0.0.0/8'],
  },
  { type: 'ExternalName', externalName: 'db.example.com' },
];

/** Puts back everything as it is shown, whichever way; nothing changes. */
async function expectPutBack(): Promise<void> {
  const before = await everything();
  for (const object of before) {
    const text = JSON.stringify(object);
    const { kind, metadata } = object;
    const replies = [
      await api.call('POST', '/v1/apply?mode=replace', text),
      await api.object('PUT', `${kind}/${metadata.name}`, text),
    ];
    for (const { status, body } of replies)
      expect([status, body]).toEqual([200, expect.anything()]);
  }
  expect(await everything()).toEqual(before);
}

test('whatever is shown can be put back, and changes nothing, after every change of type', async () => {
  await api.register('nginx/a', {
    address: '127.0.0.1',
    ports: { http: 3_001 },
    labels: { app: 'nginx' },
  });
  await api.apply(`${NGINX}\n---\n${OTHERS}`);
  await api.apply(serviceText('manual', { ports: [{ port: 80 }] }));
  await expectPutBack();
  for (const from of TYPES) {
    for (const to of TYPES) {
      for (const spec of [from, to]) {
        const text = serviceText('nginx', {
          selector: { app: 'nginx' },
          ports: [{ port: 80 }],
          ...spec,
        });
        expect((await api.object('PUT', 'svc/nginx', text)).status).toBe(200);
      }
      await expectPutBack();
    }
  }
});

test('O6: what the registry makes itself stays as it makes it, and the writer is told', async () => {
  await api.register('nginx/a', { address: '127.0.0.1', ports: { http: 3_001 } });
  await api.apply(NGINX);
  const derived = await api.read('ep/nginx');
  const other = JSON.stringify({ ...derived, subsets: [] });
  const { results } = await api.apply(other, '?mode=replace');
  expect(results).toMatchObject([
    {
      action: 'unchanged',
      object: derived,
      warnings: [
        'endpoints "nginx" is derived from the instances of its service: what is written to it has no effect',
      ],
    },
  ]);
  expect(await api.read('ep/nginx')).toEqual(derived);
});

test('what is derived can be put back, and not patched, also where endpoints of the same name were written', async () => {
  const ports = { http: { port: 8080, containerPort: 80 } };
  await api.register('nginx/a', { address: '10.0.0.1', ports });
  await api.apply(NGINX);
  const json = 'application/merge-patch+json';
  const putBack = async () => {
    const derived = await api.read('ep/nginx');
    const { resourceVersion } = derived.metadata;
    const patch = JSON.stringify({ metadata: { resourceVersion, labels: { a: 'b' } } });
    const put = await api.object('PUT', 'ep/nginx', JSON.stringify(derived));
    expect(put).toEqual({ status: 200, body: derived });
    const patched = await api.object('PATCH', 'ep/nginx', patch, json);
    expect(patched).toMatchObject({ status: 422, body: { code: 'invalid_manifest' } });
    expect(await api.read('ep/nginx')).toEqual(derived);
  };
  await putBack();
  const subsets = [{ addresses: [{ ip: '10.9.9.9' }], ports: [{ port: 80 }] }];
  const written = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'nginx' }, subsets };
  await api.apply(JSON.stringify(written), '?mode=create');
  await putBack();
  // What was written can be changed as well: it counts once the service selects nothing.
  const patch = JSON.stringify({ metadata: { labels: { own: 'yes' } } });
  expect((await api.object('PATCH', 'ep/nginx', patch, json)).status).toBe(200);
  await api.apply(serviceText('nginx', { ports: [{ port: 8080 }] }));
  const shown = await api.read('ep/nginx');
  expect(shown).toMatchObject({ metadata: { labels: { own: 'yes' } }, subsets });
});
