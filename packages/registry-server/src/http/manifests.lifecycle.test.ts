import type { Deleted, ManifestObject } from '@rollcall/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { ManifestApi } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

let server: RegistryServer;
let api: ManifestApi;

beforeEach(async () => {
  server = await startTestServer();
  api = new ManifestApi(server);
});
afterEach(async () => {
  await server.close();
});

const named = (name: string, metadata: object = {}, spec: object = { ports: [{ port: 80 }] }) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name, ...metadata }, spec });

const slice = (name: string, metadata: object) =>
  JSON.stringify({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, ...metadata },
    addressType: 'IPv4',
    endpoints: [],
  });

async function declared(text: string): Promise<ManifestObject> {
  const { results } = await api.apply(text, '?mode=create');
  return results[0]?.object as ManifestObject;
}

async function exists(path: string): Promise<boolean> {
  return (await api.object('GET', path)).status === 200;
}

const ownedBy = (owner: ManifestObject, more: object = {}) => ({
  ownerReferences: [
    {
      apiVersion: owner.apiVersion,
      kind: owner.kind,
      name: owner.metadata.name,
      uid: owner.metadata.uid,
      ...more,
    },
  ],
});

const merge = (path: string, patch: object) =>
  api.object('PATCH', path, JSON.stringify(patch), 'application/merge-patch+json');

describe('finalizers', () => {
  test('keep a deleted object until the last one is removed', async () => {
    const { metadata } = await declared(named('web', { finalizers: ['acme.io/a', 'acme.io/b'] }));
    expect(metadata.finalizers).toEqual(['acme.io/a', 'acme.io/b']);
    const { object } = (await api.object('DELETE', 'services/web')).body as Deleted;
    expect(object.metadata).toMatchObject({
      uid: metadata.uid,
      deletionTimestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      deletionGracePeriodSeconds: 0,
    });
    // It serves on, and a second deletion changes nothing.
    const shown = await api.read('services/web');
    expect(shown.metadata).toEqual(object.metadata);
    const again = (await api.object('DELETE', 'services/web')).body as Deleted;
    expect(again.object.metadata).toEqual(object.metadata);
    const refused = await api.refused(named('web'), '?mode=create');
    expect(refused.detail).toContain('object is being deleted: services "web" already exists');
    await merge('services/web', { metadata: { finalizers: ['acme.io/b'] } });
    expect(await exists('services/web')).toBe(true);
    await merge('services/web', { metadata: { finalizers: null } });
    expect(await exists('services/web')).toBe(false);
  });

  test('give the numbers of a service free when it goes, and not before', async () => {
    const spec = { type: 'NodePort', ports: [{ port: 80, nodePort: 30_500 }] };
    await declared(named('web', { finalizers: ['acme.io/a'] }, spec));
    await api.object('DELETE', 'services/web');
    const taken = await api.refused(named('other', {}, spec), '?mode=create');
    expect(taken.detail).toContain('provided port is already allocated');
    await merge('services/web', { metadata: { finalizers: [] } });
    await declared(named('other', {}, spec));
  });

  test('cannot be added to what is being deleted', async () => {
    await declared(named('web', { finalizers: ['acme.io/a'] }));
    await api.object('DELETE', 'services/web');
    const { body } = await merge('services/web', {
      metadata: { finalizers: ['acme.io/a', 'acme.io/b'] },
    });
    expect(body).toMatchObject({
      detail:
        'Service "web": metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"acme.io/b"}',
    });
  });

  test.each([
    [['nothing'], 'metadata.finalizers[0]: Invalid value: "nothing": name is neither a standard'],
    [['orphan', 'foregroundDeletion'], 'finalizer orphan and foregroundDeletion cannot be both'],
    [['acme.io/'], 'metadata.finalizers: Invalid value: "acme.io/": name part must be non-empty'],
  ])('%j are refused', async (finalizers, message) => {
    const { detail } = await api.refused(named('web', { finalizers }));
    expect(detail).toContain(message);
  });

  test('a deletion that the author writes is refused in a living object, and kept in a leaving one', async () => {
    await declared(named('web', { finalizers: ['acme.io/a'] }));
    const leaving = { deletionTimestamp: '2020-01-01T00:00:00Z', finalizers: ['acme.io/a'] };
    const { detail } = await api.refused(named('web', leaving), '?mode=replace');
    expect(detail).toContain('metadata.deletionTimestamp: Invalid value');
    await api.object('DELETE', 'services/web');
    const { metadata } = await api.read('services/web');
    await api.apply(named('web', leaving), '?mode=replace');
    expect((await api.read('services/web')).metadata.deletionTimestamp).toBe(
      metadata.deletionTimestamp,
    );
  });
});

describe('a deletion', () => {
  test('may name the object and the version that it means', async () => {
    const { metadata } = await declared(named('web'));
    const other = await api.object('DELETE', 'services/web?uid=1234');
    expect(other).toMatchObject({
      status: 409,
      body: {
        code: 'object_changed',
        detail: `Operation cannot be fulfilled on services "web": Precondition failed: UID in precondition: 1234, UID in object meta: ${metadata.uid}`,
      },
    });
    const stale = await api.object('DELETE', 'services/web?resourceVersion=1');
    expect(stale.status).toBe(409);
    const query = `uid=${metadata.uid}&resourceVersion=${metadata.resourceVersion}`;
    expect((await api.object('DELETE', `services/web?${query}`)).status).toBe(200);
  });

  test('that only checks changes nothing', async () => {
    await declared(named('web', { finalizers: ['acme.io/a'] }));
    const { body } = await api.object('DELETE', 'services/web?dryRun=true');
    expect(body).toMatchObject({ object: { metadata: { deletionGracePeriodSeconds: 0 } } });
    expect((await api.read('services/web')).metadata).not.toHaveProperty('deletionTimestamp');
  });
});

describe('owned objects', () => {
  test('go with their owner, and theirs with them', async () => {
    const owner = await declared(named('web'));
    const child = await declared(slice('child', ownedBy(owner)));
    await declared(slice('grandchild', ownedBy(child)));
    await declared(slice('stranger', {}));
    await api.object('DELETE', 'services/web');
    expect(await exists('endpointslices/child')).toBe(false);
    expect(await exists('endpointslices/grandchild')).toBe(false);
    expect(await exists('endpointslices/stranger')).toBe(true);
  });

  test('stay while another owner is there, and forget the one that went', async () => {
    const [first, second] = [await declared(named('first')), await declared(named('second'))];
    const both = [...ownedBy(first).ownerReferences, ...ownedBy(second).ownerReferences];
    await declared(slice('child', { ownerReferences: both }));
    await api.object('DELETE', 'services/first');
    expect((await api.read('endpointslices/child')).metadata['ownerReferences']).toEqual(
      ownedBy(second).ownerReferences,
    );
    await api.object('DELETE', 'services/second');
    expect(await exists('endpointslices/child')).toBe(false);
  });

  test('stay without an owner when they are to be orphans', async () => {
    const owner = await declared(named('web'));
    await declared(slice('child', ownedBy(owner)));
    await api.object('DELETE', 'services/web?propagationPolicy=Orphan');
    expect(await exists('services/web')).toBe(false);
    const { metadata } = await api.read('endpointslices/child');
    expect(metadata).not.toHaveProperty('ownerReferences');
  });

  test('hold their owner up in the foreground if they block it', async () => {
    const owner = await declared(named('web'));
    await declared(
      slice('child', {
        ...ownedBy(owner, { blockOwnerDeletion: true }),
        finalizers: ['acme.io/a'],
      }),
    );
    await api.object('DELETE', 'services/web?propagationPolicy=Foreground');
    const shown = await api.read('services/web');
    expect(shown.metadata.finalizers).toEqual(['foregroundDeletion']);
    const child = await api.read('endpointslices/child');
    expect(child.metadata).toHaveProperty('deletionTimestamp');
    await merge('endpointslices/child', { metadata: { finalizers: null } });
    await expect.poll(() => exists('services/web'), { timeout: 10_000 }).toBe(false);
    expect(await exists('endpointslices/child')).toBe(false);
  });

  test('of an owner that the registry does not keep, stay', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: '1' } };
    await declared(slice('child', ownedBy(pod as unknown as ManifestObject)));
    const owner = await declared(named('web'));
    await api.object('DELETE', `services/${owner.metadata.name}`);
    expect(await exists('endpointslices/child')).toBe(true);
  });

  test('are refused with a reference that says nothing, or two controllers', async () => {
    const controllers = ['a', 'b'].map((name) => {
      return { apiVersion: 'v1', kind: 'Service', name, uid: name, controller: true };
    });
    const two = await api.refused(named('web', { ownerReferences: controllers }));
    expect(two.detail).toContain(
      'Only one reference can have Controller set to true. Found "true" in references for Service/a and Service/b',
    );
    const none = await api.refused(named('web', { ownerReferences: [{}] }));
    for (const field of ['apiVersion', 'kind', 'name', 'uid'])
      expect(none.detail).toContain(`metadata.ownerReferences.${field}: Invalid value: ""`);
  });
});

describe('what only a server sets', () => {
  const ingress = (port: number, labels: object = {}) =>
    JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'shop', labels },
      spec: { defaultBackend: { service: { name: 'web', port: { number: port } } } },
    });

  test('counts the changes of what is wanted, not those of labels and status', async () => {
    expect((await declared(ingress(80))).metadata['generation']).toBe(1);
    await api.apply(ingress(80, { a: 'b' }));
    expect((await api.read('ingresses/shop')).metadata['generation']).toBe(1);
    await api.apply(ingress(81, { a: 'b' }));
    expect((await api.read('ingresses/shop')).metadata['generation']).toBe(2);
    const status = { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } };
    expect((await merge('ingresses/shop/status', { status })).status).toBe(200);
    expect((await api.read('ingresses/shop')).metadata['generation']).toBe(2);
  });

  test('counts the labels of a slice, which tie it to a service, and the annotations of a deployment', async () => {
    const sliceWith = (metadata: object) =>
      JSON.stringify({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'db-1', ...metadata },
        addressType: 'IPv4',
      });
    const deploymentWith = (metadata: object) =>
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', ...metadata },
        spec: {
          selector: { matchLabels: { a: 'b' } },
          template: {
            metadata: { labels: { a: 'b' } },
            spec: { containers: [{ name: 'web', image: 'web' }] },
          },
        },
      });
    const counted = async (path: string, ...texts: string[]) => {
      const counts: unknown[] = [];
      for (const text of texts) {
        await api.apply(text, '?mode=replace');
        counts.push((await api.read(path)).metadata['generation']);
      }
      return counts;
    };
    const [labels, annotations] = [{ labels: { a: 'b' } }, { annotations: { a: 'b' } }];
    await api.apply(`${sliceWith({})}\n---\n${deploymentWith({})}`, '?mode=create');
    expect(
      await counted(
        'endpointslices/db-1',
        sliceWith({}),
        sliceWith(annotations),
        sliceWith(labels),
      ),
    ).toEqual([1, 1, 2]);
    expect(
      await counted(
        'deploy/web',
        deploymentWith({}),
        deploymentWith(labels),
        deploymentWith(annotations),
      ),
    ).toEqual([1, 1, 2]);
  });

  test('a name is generated that nothing has, and the stem is kept', async () => {
    const text = named('', { generateName: 'web-' });
    const made = [await declared(text), await declared(text)];
    for (const { metadata } of made) {
      expect(metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(metadata['generateName']).toBe('web-');
    }
    expect(made[0]?.metadata.name).not.toBe(made[1]?.metadata.name);
    const bad = await api.refused(named('', { generateName: '1web-' }), '?mode=create');
    expect(bad.detail).toContain('metadata.generateName: Invalid value: "1web-": a DNS-1035 label');
  });

  test('names who wrote', async () => {
    await api.apply(named('web'), '?fieldManager=alice');
    await api.apply(named('web', { labels: { a: 'b' } }), '?fieldManager=bob');
    const managers = (await api.read('services/web')).metadata['managedFields'];
    expect(managers).toMatchObject([
      { manager: 'alice', operation: 'Update', apiVersion: 'v1' },
      { manager: 'bob', operation: 'Update', apiVersion: 'v1' },
    ]);
    // A write that changes nothing names no writer.
    const { results } = await api.apply(
      named('web', { labels: { a: 'b' } }),
      '?fieldManager=carol',
    );
    expect(results[0]?.action).toBe('unchanged');
    expect((await api.read('services/web')).metadata['managedFields']).toEqual(managers);
    const { status } = await api.call('POST', `/v1/apply?fieldManager=${'x'.repeat(129)}`, '{}');
    expect(status).toBe(400);
  });
});
