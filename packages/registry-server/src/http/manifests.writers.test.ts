import type { ManifestObject, Problem } from '@rollcall/contract';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi, NGINX, portsOf, serviceText, specOf } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';
import { until } from '@rollcall/testkit';

let server: RegistryServer;
let api: ManifestApi;
beforeEach(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterEach(() => server.close());

const LAST = 'kubectl.kubernetes.io/last-applied-configuration';
const MERGE = 'application/merge-patch+json';
/** A server on a Redis that has read it. */
async function startReady(prefix: string, ...flags: string[]): Promise<RegistryServer> {
  const store = [`--store=${inject('redisUrl')}`, `--store-prefix=${prefix}-${process.pid}`];
  const started = await startTestServer(...store, ...flags);
  await until(async () => (await fetch(`${started.url}/readyz?for=writes`)).ok);
  return started;
}

const withMeta = (name: string, meta: object, spec: object) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name, ...meta }, spec });

describe('versions', () => {
  test('who names a version that is not the latest changes nothing, whichever way he writes', async () => {
    await api.apply(NGINX);
    const { metadata } = await api.read('svc/nginx');
    const { resourceVersion } = metadata;
    await api.apply(serviceText('nginx', { ports: [{ port: 8081 }] }));
    const stale = withMeta('nginx', { resourceVersion }, { ports: [{ port: 9 }] });
    const replies = [
      await api.object('PUT', 'svc/nginx', stale),
      await api.object(
        'PATCH',
        'svc/nginx',
        JSON.stringify({ metadata: { resourceVersion } }),
        MERGE,
      ),
      await api.call('POST', '/v1/apply?mode=replace', stale),
      await api.call('POST', '/v1/apply', stale),
    ];
    for (const { status, body } of replies) {
      expect(status).toBe(409);
      expect((body as Problem).code).toBe('object_changed');
      expect((body as Problem).message).toContain('the object has been modified');
    }
    expect(portsOf(await api.read('svc/nginx'))).toMatchObject([{ port: 8081 }]);
    await api.object('DELETE', 'svc/nginx');
    expect((await api.object('PUT', 'svc/nginx', stale)).status).toBe(409);
    // An export that is applied where it is no longer there names nobody's version.
    await api.apply(stale);
  });

  test('of many who put what they read, one wins each round', async () => {
    const servers = [await startReady('racing'), await startReady('racing')];
    try {
      const [one, other] = servers.map((each) => new ManifestApi(each)) as [
        ManifestApi,
        ManifestApi,
      ];
      await one.apply(serviceText('web', { ports: [{ port: 80 }] }));
      const { metadata } = await one.read('svc/web');
      const meta = { resourceVersion: metadata.resourceVersion };
      const writes = Array.from({ length: 8 }, (_, i) => {
        const text = withMeta('web', meta, { ports: [{ port: 1_000 + i }] });
        return (i % 2 === 0 ? one : other).object('PUT', 'svc/web', text);
      });
      const statuses = (await Promise.all(writes)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.filter((status) => status === 409)).toHaveLength(7);
    } finally {
      await Promise.all(servers.map((each) => each.close()));
    }
  });

  test('a dry run has no revision of its own', async () => {
    const dry = await api.apply(NGINX, '?dryRun=true');
    expect(dry.results[0]?.object?.metadata.resourceVersion).toBeUndefined();
    const { body } = await api.call('GET', '/v1/namespaces/default/services');
    expect(Number(dry.revision)).toBeLessThanOrEqual(
      Number((body as { revision: string }).revision),
    );
    await api.apply(NGINX);
    const again = await api.apply(NGINX, '?dryRun=true');
    const { metadata } = await api.read('svc/nginx');
    expect(again.results[0]?.object?.metadata.resourceVersion).toBe(metadata.resourceVersion);
  });
});

describe('what was applied', () => {
  test('an export that is applied again and again does not grow', async () => {
    await api.apply(NGINX);
    const sizes: number[] = [];
    for (let round = 0; round < 6; round++) {
      const shown = await api.read('svc/nginx');
      sizes.push(shown.metadata.annotations?.[LAST]?.length ?? 0);
      const { resourceVersion: _, ...metadata } = shown.metadata;
      await api.apply(JSON.stringify({ ...shown, metadata }));
    }
    expect(sizes[5]).toBe(sizes[2]);
  });

  test('labels and annotations named after what objects inherit stay when others apply', async () => {
    await api.apply(NGINX);
    const labels = { constructor: 'a', valueof: 'b' };
    const patch = JSON.stringify({ metadata: { labels, annotations: { toString: 'x' } } });
    expect((await api.object('PATCH', 'svc/nginx', patch, MERGE)).status).toBe(200);
    const { results } = await api.apply(serviceText('nginx', { ports: [{ port: 1 }] }));
    expect(results[0]?.object?.metadata).toMatchObject({ labels, annotations: { toString: 'x' } });
    expect(await api.list('svc', '?selector=constructor')).toHaveLength(1);
    expect(await api.list('svc', '?selector=constructor%3Da')).toHaveLength(1);
    expect(await api.list('svc', '?selector=!hasownproperty')).toHaveLength(2);
    expect(await api.list('svc', '?selector=!constructor')).toHaveLength(1);
  });

  test('a generated name is made whole, and is not for applying', async () => {
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { generateName: `${'x'.repeat(62)}-` },
      spec: { ports: [{ port: 1 }] },
    });
    const { results } = await api.apply(text, '?mode=create');
    expect(results[0]?.object?.metadata.name).toHaveLength(63);
    expect((await api.refused(text)).message).toContain('cannot use generate name with apply');
  });

  test('a patch is refused in the words of a manifest', async () => {
    await api.apply(NGINX);
    const patch = JSON.stringify({ spec: { ports: [{ port: '7', prot: 'TCP' }] } });
    const { body } = await api.object('PATCH', 'svc/nginx', patch, MERGE);
    expect((body as Problem).faults?.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'spec.ports[0].port: Invalid value: "7": expected an integer',
      'spec.ports[0].prot: strict decoding error: unknown field "spec.ports[0].prot"',
    ]);
  });

  test('an object cannot be patched into one of another kind', async () => {
    await api.apply(NGINX);
    for (const [field, value, expected] of [
      ['kind', 'Ingress', 'Service'],
      ['apiVersion', 'v2', 'v1'],
    ] as const) {
      const { status, body } = await api.object(
        'PATCH',
        'svc/nginx',
        JSON.stringify({ [field]: value }),
        MERGE,
      );
      expect(status).toBe(422);
      expect((body as Problem).detail).toBe(
        `Service "nginx": ${field}: Invalid value: "${value}": expected "${expected}"`,
      );
    }
  });

  test('who an object is cannot be patched', async () => {
    await api.apply(
      JSON.stringify({ apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'e' } }),
    );
    for (const metadata of [{ name: 'f' }, { namespace: 'other' }]) {
      const reply = await api.object('PATCH', 'ep/e', JSON.stringify({ metadata }), MERGE);
      expect(reply.status).toBe(422);
    }
  });
});

describe('numbers', () => {
  const nodePorts = (object: ManifestObject) => portsOf(object).map(({ nodePort }) => nodePort);
  const nodePort = (ports: object[]) => serviceText('web', { type: 'NodePort', ports });

  test('a node port stays with the name of its port when the number changes, and with the number when the name does', async () => {
    await api.apply(
      nodePort([
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ]),
    );
    const [a, b] = nodePorts(await api.read('svc/web'));
    await api.apply(
      nodePort([
        { name: 'b', port: 8081 },
        { name: 'a', port: 80 },
      ]),
    );
    expect(nodePorts(await api.read('svc/web'))).toEqual([b, a]);
    await api.apply(
      nodePort([
        { name: 'c', port: 8081 },
        { name: 'd', port: 80 },
      ]),
    );
    expect(nodePorts(await api.read('svc/web'))).toEqual([b, a]);
  });

  test('a node port that one port asks for is not kept for another', async () => {
    await api.apply(
      nodePort([
        { name: 'a', port: 80, nodePort: 30_200 },
        { name: 'b', port: 81 },
      ]),
    );
    await api.apply(
      nodePort([
        { name: 'a', port: 80 },
        { name: 'b', port: 81, nodePort: 30_200 },
      ]),
    );
    const [a, b] = nodePorts(await api.read('svc/web'));
    expect(b).toBe(30_200);
    expect(a).not.toBe(30_200);
  });

  test('ports of one number and two protocols share the node port that one of them names', async () => {
    await api.apply(
      nodePort([
        { name: 'tcp', port: 53, nodePort: 30_053 },
        { name: 'udp', port: 53, protocol: 'UDP' },
      ]),
    );
    expect(nodePorts(await api.read('svc/web'))).toEqual([30_053, 30_053]);
  });

  test('two that swap node ports in one file have them', async () => {
    const of = (name: string, number: number) =>
      serviceText(name, { type: 'NodePort', ports: [{ port: 80, nodePort: number }] });
    await api.apply(`${of('one', 30_001)}\n---\n${of('two', 30_002)}`);
    await api.apply(`${of('one', 30_002)}\n---\n${of('two', 30_001)}`);
    expect(nodePorts(await api.read('svc/one'))).toEqual([30_002]);
    expect(nodePorts(await api.read('svc/two'))).toEqual([30_001]);
  });
});

describe('the network of cluster IPs', () => {
  test('the registry is a service with another address when somebody has the first', async () => {
    const own = await api.read('svc/rollcall');
    const first = specOf(own)['clusterIP'] as string;
    await api.object('DELETE', 'svc/rollcall');
    await api.apply(serviceText('greedy', { clusterIP: first, ports: [{ port: 1 }] }));
    await until(
      async () =>
        (await api.object('GET', 'svc/rollcall')).status === 200 &&
        (await api.resolve('rollcall')).declared !== null,
    );
    expect(specOf(await api.read('svc/rollcall'))['clusterIP']).toMatch(/^127\.96\./);
    expect(specOf(await api.read('svc/rollcall'))['clusterIP']).not.toBe(first);
  });

  test('a service keeps its address where the network is another one now', async () => {
    const old = await startReady('moved');
    const now = await startReady('moved', '--service-cidr=127.97.0.0/24');
    try {
      await new ManifestApi(old).apply(NGINX);
      const moved = new ManifestApi(now);
      await until(async () => (await moved.object('GET', 'svc/nginx')).status === 200);
      const patch = JSON.stringify({ metadata: { labels: { a: 'b' } } });
      expect((await moved.object('PATCH', 'svc/nginx', patch, MERGE)).status).toBe(200);
    } finally {
      await Promise.all([old.close(), now.close()]);
    }
  });
});

test('what was reported of a service is not said of the next one of its name', async () => {
  const balanced = serviceText('lb', { type: 'LoadBalancer', ports: [{ port: 80 }] });
  await api.apply(balanced);
  const path = '/v1/namespaces/default/services/lb/reports/one';
  const report = JSON.stringify({ loadBalancer: [{ ip: '127.0.0.9' }] });
  expect((await api.call('PUT', path, report, 'application/json')).status).toBe(200);
  await api.object('DELETE', 'svc/lb');
  await api.apply(balanced);
  expect((await api.read('svc/lb'))['status']).toEqual({ loadBalancer: {} });
});
