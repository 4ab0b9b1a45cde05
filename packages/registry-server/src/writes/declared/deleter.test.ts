import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, systemRandom } from '@rollcall/runtime';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { putOne } from '../../store/put-one.ts';
import { type RemoveRequest, StoreUnavailableError } from '../../store/store.ts';
import { BareServer } from '../../testing/bare-server.ts';

/** Another server writes between the moment at which a deletion has read the object, and its first write. */
class RacedStore extends MemoryStore {
  race: (() => Promise<unknown>) | undefined;

  override async put(request: Parameters<MemoryStore['put']>[0]) {
    await this.#meet();
    return super.put(request);
  }

  override async remove(request: RemoveRequest) {
    await this.#meet();
    return super.remove(request);
  }

  async #meet(): Promise<void> {
    const { race } = this;
    this.race = undefined;
    await race?.();
  }
}

let store: RacedStore;
let server: BareServer;

beforeEach(async () => {
  store = new RacedStore({ clock: systemClock, logLength: 1_000, epoch: 'one' });
  server = new BareServer({ store, clock: systemClock, random: systemRandom });
});
afterEach(async () => {
  server.stop();
  await store.close();
});

const WEB = { kind: 'Service', namespace: 'default', name: 'web' } as const;

const service = (labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', uid: '1', labels },
  spec: { clusterIP: 'None', ports: [{ port: 80 }] },
});

const endpoints = {
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'web', namespace: 'default', uid: '2' },
  subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }],
};

async function put(key: string, object: object | string): Promise<number> {
  const value = typeof object === 'string' ? object : JSON.stringify(object);
  const { revision } = await putOne(store, { key, value, forMs: 0, why: 'created' }, 0);
  await expect.poll(() => server.core.picture.revision).toBeGreaterThanOrEqual(revision);
  return revision;
}

const keys = async () => (await store.snapshot()).resources.map(({ key }) => key).toSorted();

test('a deletion that comes after another write takes no endpoints away', async () => {
  const revision = await put('service/default/web', service());
  await put('endpoints/default/web', endpoints);
  store.race = () => put('service/default/web', service({ a: 'b' }));
  const { deleter } = server.core.declaring;
  const request = { dryRun: false, resourceVersion: String(revision) };
  await expect(deleter.delete(WEB, request)).rejects.toMatchObject({ code: 'object_changed' });
  expect(await keys()).toEqual(['endpoints/default/web', 'service/default/web']);
  const { value } = await deleter.delete(WEB, { dryRun: false });
  expect(value.object.metadata).not.toHaveProperty('deletionTimestamp');
  expect(await keys()).toEqual([]);
});

test('what cannot be read is deleted by its name, and not as a certain object or version', async () => {
  await put('service/default/web', '{');
  const { deleter } = server.core.declaring;
  for (const meant of [{ uid: '1' }, { resourceVersion: '5' }]) {
    await expect(deleter.delete(WEB, { dryRun: false, ...meant })).rejects.toMatchObject({
      code: 'object_changed',
      field: Object.keys(meant)[0],
    });
  }
  expect(await keys()).toEqual(['service/default/web']);
  await deleter.delete(WEB, { dryRun: false });
  expect(await keys()).toEqual([]);
});

test('a deletion during which the store goes away is finished when it is back', async () => {
  await put('service/default/web', service());
  await put('endpoints/default/web', endpoints);
  const { deleter, owned } = server.core.declaring;
  const remove = store.remove.bind(store);
  store.remove = () => Promise.reject(new StoreUnavailableError('away'));
  const { value } = await deleter.delete(WEB, { dryRun: false });
  expect(value.object.metadata.name).toBe('web');
  expect(await keys()).toEqual(['endpoints/default/web', 'service/default/web']);
  store.remove = remove;
  await owned.collect();
  expect(await keys()).toEqual([]);
});
