import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '@rollcall/runtime';
import { ManualClock } from '@rollcall/runtime/testing';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { putOne } from '../../store/put-one.ts';
import { BareServer } from '../../testing/bare-server.ts';

let clock: ManualClock;
let store: MemoryStore;
let server: BareServer;

beforeEach(async () => {
  clock = new ManualClock();
  store = new MemoryStore({ clock, logLength: 1_000, epoch: 'one' });
  server = new BareServer({ store, clock, random: systemRandom });
  await passed(1_000);
});
afterEach(async () => {
  server.stop();
  await store.close();
});

/** Lets time pass, with all that waits for it. */
async function passed(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(500);
    for (let turns = 0; turns < 50; turns++) await Promise.resolve();
  }
}

const slice = (metadata: object) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'child', namespace: 'default', uid: '2', ...metadata },
  addressType: 'IPv4',
  endpoints: [],
});

const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'Service', name: 'web', uid });

const stored = (metadata: object) => {
  const value = JSON.stringify(slice(metadata));
  return putOne(store, { key: 'endpointslice/default/child', value, forMs: 0, why: 'created' }, 0);
};

const isThere = async () => (await store.snapshot()).resources.length > 0;

test('O20: an object goes when its owner has been missing for 15 s, and not before', async () => {
  await stored({ ownerReferences: [owner('1')] });
  await passed(14_000);
  expect(await isThere()).toBe(true);
  await passed(3_000);
  expect(await isThere()).toBe(false);
});

test('an owner that comes back in time keeps it', async () => {
  await stored({ ownerReferences: [owner('1')] });
  await passed(10_000);
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', uid: '1' },
    spec: { type: 'ExternalName', externalName: 'a.example' },
  };
  const item = { key: 'service/default/web', value: JSON.stringify(service), forMs: 0 };
  await putOne(store, { ...item, why: 'created' }, 0);
  await passed(60_000);
  expect((await store.snapshot()).resources).toHaveLength(2);
  // Its namesake is another object.
  const value = JSON.stringify({ ...service, metadata: { ...service.metadata, uid: '3' } });
  await putOne(store, { ...item, value, why: 'created' }, 0);
  await passed(17_000);
  expect((await store.snapshot()).resources.map(({ key }) => key)).toEqual(['service/default/web']);
});

test('an object that is restored after its owner went waits for the owner', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', uid: '1' },
    spec: { type: 'ExternalName', externalName: 'a.example' },
  };
  const item = { key: 'service/default/web', value: JSON.stringify(service), forMs: 0 };
  const count = async () => (await store.snapshot()).resources.length;
  await putOne(store, { ...item, why: 'created' }, 0);
  await stored({ ownerReferences: [owner('1')] });
  await passed(2_000);
  await store.remove({ key: item.key, floor: 0 });
  await passed(3_000);
  expect(await count()).toBe(0);
  await stored({ ownerReferences: [owner('1')] });
  await passed(10_000);
  expect(await count()).toBe(1);
  await putOne(store, { ...item, why: 'created' }, 0);
  await passed(60_000);
  expect(await count()).toBe(2);
});

test('a deletion that another server did not finish is finished', async () => {
  await stored({ deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['acme.io/a'] });
  await passed(3_000);
  expect(await isThere()).toBe(true);
  await stored({ deletionTimestamp: '2026-01-01T00:00:00Z' });
  await passed(3_000);
  expect(await isThere()).toBe(false);
});

test('an object in no namespace stays, whatever is said of an owner in one', async () => {
  const value = JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'nginx', namespace: '', uid: '2', ownerReferences: [owner('1')] },
    spec: { controller: 'acme.io/nginx' },
  });
  const item = { key: 'ingressclass/_/nginx', value, forMs: 0, why: 'created' } as const;
  await putOne(store, item, 0);
  await passed(60_000);
  expect(await isThere()).toBe(true);
});

test.each([1, 2, 3])('owners in a circle of %i do not wait for each other', async (count) => {
  const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['foregroundDeletion'] };
  for (let i = 0; i < count; i++) {
    const before = (i + 1) % count;
    const reference = { ...slice({}), metadata: { name: `n${before}`, uid: `${before}` } };
    const { apiVersion, kind, metadata } = reference;
    const ownerReferences = [{ apiVersion, kind, ...metadata, blockOwnerDeletion: true }];
    const one = slice({ name: `n${i}`, uid: `${i}`, ownerReferences, ...leaving });
    const key = `endpointslice/default/n${i}`;
    await putOne(store, { key, value: JSON.stringify(one), forMs: 0, why: 'created' }, 0);
  }
  await passed(5_000);
  expect(await isThere()).toBe(false);
});

test('an object that gets another owner while its own goes stays', async () => {
  const { deleter } = server.core.declaring;
  const remove = store.remove.bind(store);
  let isFirst = true;
  store.remove = async (request) => {
    if (request.key === 'endpointslice/default/child' && isFirst) {
      isFirst = false;
      await stored({ labels: { kept: 'yes' } });
    }
    return remove(request);
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', uid: '1' },
    spec: { type: 'ExternalName', externalName: 'a.example' },
  };
  const value = JSON.stringify(service);
  await putOne(store, { key: 'service/default/web', value, forMs: 0, why: 'created' }, 0);
  await stored({ ownerReferences: [owner('1')] });
  await passed(2_000);
  const ref = { kind: 'Service', namespace: 'default', name: 'web' } as const;
  await Promise.all([deleter.delete(ref, { dryRun: false }), passed(30_000)]);
  expect(isFirst).toBe(false);
  expect(await isThere()).toBe(true);
});

test('a pass that has changed enough leaves the rest to the next one', async () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', uid: '1' },
    spec: { type: 'ExternalName', externalName: 'a.example' },
  };
  const value = JSON.stringify(service);
  await putOne(store, { key: 'service/default/web', value, forMs: 0, why: 'created' }, 0);
  for (let i = 0; i < 10; i++) {
    const one = JSON.stringify(
      slice({ name: `n${i}`, uid: `n${i}`, ownerReferences: [owner('1')] }),
    );
    const key = `endpointslice/default/n${i}`;
    await putOne(store, { key, value: one, forMs: 0, why: 'created' }, 0);
  }
  await passed(1_000);
  const { deleter, owned } = server.core.declaring;
  const ref = { kind: 'Service', namespace: 'default', name: 'web' } as const;
  await deleter.delete(ref, { dryRun: false });
  const count = async () => (await store.snapshot()).resources.length;
  await owned.collect(4);
  expect(await count()).toBe(6);
  await passed(3_000);
  expect(await count()).toBe(0);
});

test.each([
  ['of another kind', { kind: 'Pod' }, 'endpointslice/default/child', 'EndpointSlice'],
  ['in a namespace, for one in none', {}, 'ingressclass/_/child', 'IngressClass'],
])('an owner %s with its uid is not it, and is not waited for', async (_, more, key, kind) => {
  const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['foregroundDeletion'] };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', uid: '1', ...leaving },
    spec: { type: 'ExternalName', externalName: 'a.example' },
  };
  const ownerReferences = [{ ...owner('1'), blockOwnerDeletion: true, ...more }];
  const one =
    kind === 'EndpointSlice'
      ? slice({ ownerReferences })
      : {
          apiVersion: 'networking.k8s.io/v1',
          kind,
          metadata: { name: 'child', namespace: '', uid: '2', ownerReferences },
          spec: { controller: 'acme.io/nginx' },
        };
  await putOne(store, { key, value: JSON.stringify(one), forMs: 0, why: 'created' }, 0);
  const value = JSON.stringify(service);
  await putOne(store, { key: 'service/default/web', value, forMs: 0, why: 'created' }, 0);
  await passed(5_000);
  expect((await store.snapshot()).resources.map((each) => each.key)).toEqual([key]);
});
