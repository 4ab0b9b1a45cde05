import { parseInstanceKey } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { systemClock } from '@rollcall/runtime';
import { encodeDurable } from '../../store/durable/durable-part.ts';
import { makeLeaseId } from '../../store/lease-id.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { type InstanceBody } from '../../store/record.ts';
import type { GrantRequest, StoreSnapshot } from '../../store/store.ts';
import { AddressRules } from '../declared/drafts/address-rules.ts';
import { Picture } from '../../picture/picture.ts';
import { Importer } from './importer.ts';

const FIELD = 'default/db/db1';
const BODY: InstanceBody = {
  address: '127.0.0.1',
  ports: { pg: { port: 5432, protocol: 'TCP' } },
  labels: {},
  zone: '',
  weight: 1,
  ttlMs: 15_000,
  status: 'up',
};

const THRESHOLDS = { healthyThreshold: 1, unhealthyThreshold: 1 };

const grantOf = (over: Partial<GrantRequest>): GrantRequest => ({
  instanceKey: FIELD,
  lease: '',
  nonce: '',
  takeover: false,
  body: BODY,
  maxInstances: 2,
  floor: 0,
  ...over,
});

/** Another process comes between the moment at which an import has read the store, and its next step. */
class RacedStore extends MemoryStore {
  readonly #race: (reading: number) => Promise<unknown>;
  #readings = 0;

  constructor(race: (store: MemoryStore, reading: number) => Promise<unknown>) {
    super({ clock: systemClock, epoch: 'e', logLength: 100 });
    this.#race = (reading) => race(this, reading);
  }

  override async snapshot(): Promise<StoreSnapshot> {
    const snapshot = await super.snapshot();
    await this.#race(++this.#readings);
    return snapshot;
  }
}

/** What an import of one instance says became of it. */
async function outcomeOf(store: MemoryStore): Promise<string | undefined> {
  const importer = new Importer({
    store,
    picture: new Picture(systemClock),
    rules: new AddressRules({ serviceCidr: '127.96.0.0/16', allowExternalIp: [] }),
    clock: systemClock,
    maxInstancesPerService: 2,
  });
  const check = { type: 'tcp', intervalMs: 60_000, timeoutMs: 1_000 } as const;
  const record = {
    ...parseInstanceKey(FIELD),
    revision: 1,
    lease: '',
    nonce: '',
    doubt: undefined,
    doubtUntilMs: 0,
    registeredAtMs: 1,
    sequence: 0,
    body: { ...BODY, weight: 7, check: { ...check, ...THRESHOLDS } },
  };
  const text = encodeDurable({ resources: [], instances: [record] });
  const { value } = await importer.import({ text, replace: true, dryRun: false });
  return value.items[0]?.outcome;
}

const live = { lease: makeLeaseId(0, 15_000, '1'.repeat(32)), nonce: 'a-live-process' };
const recordIn = async (store: MemoryStore) =>
  (await MemoryStore.prototype.snapshot.call(store)).instances[0];

test.each([
  ['without a nonce, right after the plan was made', '', 1],
  ['with one, right after the plan was made', 'persistent', 1],
  ['with one, at the last moment', 'persistent', 2],
])(
  'a process that takes the id of a persistent instance %s is not thrown out',
  async (_, nonce, at) => {
    const store = new RacedStore(async (own, reading) => {
      if (reading === at) await own.grant(grantOf({ ...live, takeover: true }));
    });
    await store.grant(grantOf({ nonce }));
    expect(await outcomeOf(store)).toBe('live');
    expect(await recordIn(store)).toMatchObject({ lease: live.lease });
  },
);

test.each(['', 'persistent'])(
  'with nobody in between, what is there is written over, its nonce being "%s"',
  async (nonce) => {
    const store = new RacedStore(async () => {});
    await store.grant(grantOf({ nonce }));
    expect(await outcomeOf(store)).toBe('written');
    expect(await recordIn(store)).toMatchObject({ lease: '', body: { weight: 7 } });
  },
);

test('a service that fills up meanwhile is said to be full, not its instance to be alive', async () => {
  const store = new RacedStore(async (own) => {
    await own.grant(grantOf({ instanceKey: 'default/db/x' }));
    await own.grant(grantOf({ instanceKey: 'default/db/y' }));
  });
  expect(await outcomeOf(store)).toBe('full');
});
