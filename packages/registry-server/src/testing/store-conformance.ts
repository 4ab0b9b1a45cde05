import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeLeaseId } from '../store/lease-id.ts';
import type { LogEntry } from '../store/log-entry.ts';
import { putOne as putWhy } from '../store/put-one.ts';
import type { InstanceBody, InstanceRecord, ResourceRecord } from '../store/record.ts';
import type { GrantRequest, Store } from '../store/store.ts';
import type { CreateHarness, HarnessOptions, StoreHarness } from './store-harness.ts';

const TTL_MS = 10_000;
const NEVER = new AbortController().signal;
const WRITE = { floor: 0 };
let serial = 0;

/** A body as a registration makes it. */
export function bodyOf(over: Partial<InstanceBody> = {}): InstanceBody {
  return {
    address: '10.0.0.1',
    ports: { http: { port: 3000, protocol: 'TCP' } },
    labels: { app: 'orders' },
    zone: '',
    weight: 100,
    ttlMs: TTL_MS,
    status: 'up',
    ...over,
  };
}

/** A grant with a fresh lease id. */
function grantOf(over: Partial<GrantRequest> & { readonly ttlMs?: number } = {}): GrantRequest {
  const { ttlMs = TTL_MS, ...rest } = over;
  return {
    field: 'default/orders/a1',
    lease: makeLeaseId(0, ttlMs, (serial++).toString(16).padStart(32, '0')),
    nonce: '',
    takeover: false,
    body: bodyOf({ ttlMs }),
    maxInstances: 1_000,
    floor: 0,
    ...rest,
  };
}

async function leaseOf(store: Store, over: Parameters<typeof grantOf>[0] = {}): Promise<string> {
  const outcome = await store.grant(grantOf(over));
  if (outcome.kind !== 'granted') throw new Error(`not granted: ${outcome.kind}`);
  return outcome.lease;
}

async function recordOf(store: Store, id: string): Promise<InstanceRecord | undefined> {
  const { instances } = await store.snapshot();
  return instances.find((record) => record.id === id);
}

async function entriesAfter(store: Store, revision: number): Promise<readonly LogEntry[]> {
  const { entries } = await store.follow(revision, NEVER);
  return entries;
}

function putOne(
  store: Store,
  item: { readonly key: string; readonly value: string; readonly forMs: number },
): Promise<ResourceRecord> {
  return putWhy(store, { ...item, why: 'overridden' }, 0);
}

/** What every driver of the store promises. Run it over each of them. */
export function storeConformance(name: string, create: CreateHarness): void {
  describe(`store on ${name}`, () => {
    let harness: StoreHarness;
    let store: Store;
    const restart = async (options?: HarnessOptions) => {
      await harness.close();
      harness = await create(options);
      ({ store } = harness);
    };
    /** Lets time pass as it does when servers sweep. */
    const live = async (ms: number) => {
      for (let left = ms; left > 0; left -= 1_000) {
        await harness.advance(Math.min(left, 1_000));
        await store.expire(WRITE);
      }
    };

    beforeEach(async () => {
      harness = await create();
      ({ store } = harness);
      await store.expire(WRITE);
    });
    afterEach(() => harness.close());

    describe('granting', () => {
      test('a free id gets the lease asked for, and is in snapshot and log', async () => {
        const request = grantOf();
        const outcome = await store.grant(request);
        expect(outcome).toMatchObject({ kind: 'granted', lease: request.lease });
        const record = await recordOf(store, 'a1');
        expect(record).toMatchObject({
          namespace: 'default',
          service: 'orders',
          lease: request.lease,
          doubt: undefined,
        });
        expect(record?.body).toEqual(request.body);
        const [entry] = await entriesAfter(store, 0);
        expect(entry).toMatchObject({
          op: 'set',
          why: 'registered',
          prev: 0,
          record: { id: 'a1' },
        });
      });

      test('the same nonce gets the same lease, and a new revision only for new content', async () => {
        const first = await store.grant(grantOf({ nonce: 'process-1' }));
        const again = await store.grant(grantOf({ nonce: 'process-1' }));
        expect(again).toEqual(first);
        const changed = await store.grant(
          grantOf({ nonce: 'process-1', body: bodyOf({ weight: 7 }) }),
        );
        expect(changed).toMatchObject({
          kind: 'granted',
          lease: (first as { lease: string }).lease,
        });
        expect((await recordOf(store, 'a1'))?.body.weight).toBe(7);
        expect(await entriesAfter(store, 0)).toHaveLength(2);
      });

      test('another nonce is refused while the holder lives, and granted with takeover', async () => {
        const old = await leaseOf(store, { nonce: 'process-1' });
        expect(await store.grant(grantOf({ nonce: 'process-2' }))).toEqual({ kind: 'taken' });
        const successor = await leaseOf(store, { nonce: 'process-2', takeover: true });
        expect(successor).not.toBe(old);
        expect((await entriesAfter(store, 0)).map((entry) => entry.why)).toEqual([
          'registered',
          'superseded',
        ]);
      });

      test('another nonce is granted when the holder is suspect, or past its deadline', async () => {
        const old = await leaseOf(store, { nonce: 'process-1' });
        const held = await store.hold(old, WRITE);
        await store.suspect(old, (held as { hold: number }).hold, WRITE);
        expect(await store.grant(grantOf({ nonce: 'process-2' }))).toMatchObject({
          kind: 'granted',
        });
        await harness.advance(TTL_MS + 1);
        expect(await store.grant(grantOf({ nonce: 'process-3' }))).toMatchObject({
          kind: 'granted',
        });
      });

      test('no nonce takes over', async () => {
        const old = await leaseOf(store, { nonce: 'process-1' });
        expect(await store.grant(grantOf())).toMatchObject({ kind: 'granted' });
        expect(await store.renew([old], WRITE)).toEqual({ unknown: [], superseded: [old] });
      });

      test('a full service takes no new instance, but an old one again', async () => {
        await leaseOf(store, { maxInstances: 1 });
        const second = grantOf({ field: 'default/orders/a2', maxInstances: 1 });
        expect(await store.grant(second)).toEqual({ kind: 'full' });
        expect(await store.grant(grantOf({ maxInstances: 1 }))).toMatchObject({ kind: 'granted' });
        await store.revoke({ field: 'default/orders/a1', lease: undefined, floor: 0 });
        expect(await store.grant(second)).toMatchObject({ kind: 'granted' });
      });

      test('a persistent instance holds no lease and never expires', async () => {
        const outcome = await store.grant(grantOf({ lease: '' }));
        expect(outcome).toMatchObject({ kind: 'granted', lease: '' });
        await live(TTL_MS * 3);
        expect(await recordOf(store, 'a1')).toMatchObject({ lease: '' });
      });
    });

    describe('G6: a lease that has a successor', () => {
      test('cannot renew, hold, change or revoke', async () => {
        const old = await leaseOf(store, { nonce: 'process-1' });
        const next = await leaseOf(store, { nonce: 'process-2', takeover: true });
        const field = 'default/orders/a1';
        expect(await store.renew([old, next], WRITE)).toEqual({ unknown: [], superseded: [old] });
        expect(await store.hold(old, WRITE)).toEqual({ kind: 'superseded' });
        const patch = { weight: 1 };
        expect(await store.update({ field, lease: old, patch, floor: 0 })).toEqual({
          kind: 'superseded',
        });
        expect(await store.revoke({ field, lease: old, floor: 0 })).toEqual({ kind: 'superseded' });
        expect(await recordOf(store, 'a1')).toMatchObject({ lease: next, body: { weight: 100 } });
      });

      test('is told so even when it had expired before the successor came', async () => {
        const old = await leaseOf(store);
        await live(TTL_MS + 2_000);
        expect(await store.renew([old], WRITE)).toEqual({ unknown: [old], superseded: [] });
        await leaseOf(store);
        expect(await store.renew([old], WRITE)).toEqual({ unknown: [], superseded: [old] });
      });
    });

    describe('renewing', () => {
      test('G1: a lease renewed before its deadline is never evicted', async () => {
        const lease = await leaseOf(store);
        for (let i = 0; i < 8; i++) {
          await live(TTL_MS - 2_000);
          expect(await store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
        }
        expect(await recordOf(store, 'a1')).toBeDefined();
      });

      test('changes no revision', async () => {
        const lease = await leaseOf(store);
        const { upTo } = await store.snapshot();
        await store.renew([lease, lease], WRITE);
        await store.renew([lease], WRITE);
        expect((await store.snapshot()).upTo).toBe(upTo);
      });

      test('names the unknown ones among many', async () => {
        const known: string[] = [];
        for (let i = 0; i < 50; i++)
          known.push(await leaseOf(store, { field: `default/orders/i${i}` }));
        const strange = makeLeaseId(0, TTL_MS, 'f'.repeat(32));
        const outcome = await store.renew([...known, strange, ...known], WRITE);
        expect(outcome).toEqual({ unknown: [strange], superseded: [] });
      });

      test('several calls at once each learn their own', async () => {
        const lease = await leaseOf(store);
        const strange = makeLeaseId(0, TTL_MS, 'e'.repeat(32));
        const [good, bad] = await Promise.all([
          store.renew([lease], WRITE),
          store.renew([strange], WRITE),
        ]);
        expect(good.unknown).toEqual([]);
        expect(bad.unknown).toEqual([strange]);
      });
    });

    describe('holds', () => {
      test('a broken hold makes its instance suspect, and evicts it 2 s later', async () => {
        const lease = await leaseOf(store);
        const held = await store.hold(lease, WRITE);
        expect(await store.suspect(lease, (held as { hold: number }).hold, WRITE)).toBe(true);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: 'suspect' });
        await live(1_900);
        expect(await recordOf(store, 'a1')).toBeDefined();
        await live(200);
        expect(await recordOf(store, 'a1')).toBeUndefined();
      });

      test('a renewal or a new hold clears the doubt, and moves the deadline', async () => {
        const lease = await leaseOf(store);
        const first = (await store.hold(lease, WRITE)) as { hold: number };
        await store.suspect(lease, first.hold, WRITE);
        await store.renew([lease], WRITE);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: undefined });
        await live(4_000);
        expect(await recordOf(store, 'a1')).toBeDefined();
        const second = (await store.hold(lease, WRITE)) as { hold: number };
        await store.suspect(lease, second.hold, WRITE);
        await store.hold(lease, WRITE);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: undefined });
      });

      test('only the current hold counts: the late close of an older one does nothing', async () => {
        const lease = await leaseOf(store);
        const first = (await store.hold(lease, WRITE)) as { hold: number };
        const second = (await store.hold(lease, WRITE)) as { hold: number };
        expect(second.hold).toBeGreaterThan(first.hold);
        expect(await store.suspect(lease, first.hold, WRITE)).toBe(false);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: undefined });
        expect(await store.suspect(lease, second.hold, WRITE)).toBe(true);
      });

      test('G2: a broken hold can be told again, after a heartbeat that had been on its way', async () => {
        const lease = await leaseOf(store);
        const { hold } = (await store.hold(lease, WRITE)) as { hold: number };
        await store.suspect(lease, hold, WRITE);
        await store.renew([lease], WRITE);
        expect(await store.suspect(lease, hold, WRITE)).toBe(true);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: 'suspect' });
        await store.hold(lease, WRITE);
        expect(await store.suspect(lease, hold, WRITE)).toBe(false);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: undefined });
      });

      test('of an unknown lease is refused', async () => {
        expect(await store.hold(makeLeaseId(0, TTL_MS, 'd'.repeat(32)), WRITE)).toEqual({
          kind: 'unknown',
        });
      });
    });

    describe('changing', () => {
      test('status, weight and labels change; a label set to null goes', async () => {
        await leaseOf(store);
        const patch = {
          status: 'draining',
          weight: 5,
          labels: { app: null, tier: 'web' },
        } as const;
        const field = 'default/orders/a1';
        expect(await store.update({ field, lease: undefined, patch, floor: 0 })).toMatchObject({
          kind: 'changed',
        });
        const record = await recordOf(store, 'a1');
        expect(record?.body).toEqual(
          bodyOf({ status: 'draining', weight: 5, labels: { tier: 'web' } }),
        );
        expect((await entriesAfter(store, 0)).at(-1)).toMatchObject({ why: 'draining' });
      });

      test('nothing new takes no revision', async () => {
        await leaseOf(store);
        const before = await store.snapshot();
        const patch = { status: 'up', labels: { app: 'orders' } } as const;
        await store.update({ field: 'default/orders/a1', lease: undefined, patch, floor: 0 });
        expect((await store.snapshot()).upTo).toBe(before.upTo);
      });

      test('what is not there is missing', async () => {
        const field = 'default/orders/nobody';
        const change = { field, lease: undefined, floor: 0 };
        expect(await store.update({ ...change, patch: { weight: 1 } })).toEqual({
          kind: 'missing',
        });
        expect(await store.revoke(change)).toEqual({ kind: 'missing' });
      });

      test('a revoked instance is gone, and its lease unknown', async () => {
        const lease = await leaseOf(store);
        expect(await store.revoke({ field: 'default/orders/a1', lease, floor: 0 })).toMatchObject({
          kind: 'changed',
        });
        expect(await recordOf(store, 'a1')).toBeUndefined();
        expect(await store.renew([lease], WRITE)).toEqual({ unknown: [lease], superseded: [] });
        expect((await entriesAfter(store, 0)).at(-1)).toMatchObject({
          op: 'del',
          why: 'deregistered',
        });
      });
    });

    describe('resources', () => {
      test('are put, read, removed and remembered', async () => {
        const key = 'override/default/orders/a1';
        const put = await putOne(store, { key, value: '{"a":"b|c"}', forMs: 0 });
        expect((await store.snapshot()).resources).toEqual([put]);
        expect(put).toMatchObject({ key, value: '{"a":"b|c"}', untilMs: 0 });
        expect(await store.remove({ key, floor: 0 })).toMatchObject({
          kind: 'changed',
        });
        expect(await store.remove({ key, floor: 0 })).toEqual({
          kind: 'missing',
        });
        const { resources, tombstones } = await store.snapshot();
        expect(resources).toEqual([]);
        expect(tombstones.map(({ member }) => member)).toContain(`r:${key}`);
      });

      test('with an end go by themselves', async () => {
        const key = 'override/default/orders/a1';
        await putOne(store, { key, value: '{}', forMs: 3_000 });
        await live(2_000);
        expect((await store.snapshot()).resources).toHaveLength(1);
        await live(2_000);
        expect((await store.snapshot()).resources).toHaveLength(0);
        expect((await entriesAfter(store, 0)).at(-1)).toMatchObject({ op: 'rm', key });
      });
    });

    describe('sweeping', () => {
      test('evicts what is past its deadline, and nothing else', async () => {
        await leaseOf(store, { field: 'default/orders/short', ttlMs: 3_000 });
        await leaseOf(store, { field: 'default/orders/long', ttlMs: 60_000 });
        await live(4_000);
        expect((await store.snapshot()).instances.map(({ id }) => id)).toEqual(['long']);
        expect((await entriesAfter(store, 0)).at(-1)).toMatchObject({ op: 'del', why: 'expired' });
      });

      test('after a pause nothing is evicted until one longest TTL has passed', async () => {
        const lease = await leaseOf(store);
        await harness.advance(60_000);
        expect(await store.expire(WRITE)).toMatchObject({ expired: 0 });
        await live(TTL_MS - 2_000);
        expect(await recordOf(store, 'a1')).toBeDefined();
        expect(await store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
        await live(TTL_MS - 2_000);
        expect(await recordOf(store, 'a1')).toBeDefined();
        await live(TTL_MS);
        expect(await recordOf(store, 'a1')).toBeUndefined();
      });

      test('a short pause is not held against whoever could not renew in it', async () => {
        const ttlMs = 3_000;
        const lease = await leaseOf(store, { field: 'default/orders/a1', ttlMs });
        await leaseOf(store, { field: 'default/orders/long', ttlMs: 60_000 });
        await live(1_000);
        await harness.advance(2_500);
        expect(await store.expire(WRITE)).toMatchObject({ expired: 0 });
        await live(1_000);
        expect(await store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
        await live(2_900);
        expect(await recordOf(store, 'a1')).toBeDefined();
        // The pause was twice 2.5 s, and not a minute.
        await live(1_100);
        expect(await recordOf(store, 'a1')).toBeUndefined();
      });

      test('a clock set back evicts nothing, and deadlines far ahead are brought back', async () => {
        await leaseOf(store);
        await harness.advance(-3_600_000);
        expect(await store.expire(WRITE)).toMatchObject({ expired: 0 });
        await live(TTL_MS - 2_000);
        expect(await recordOf(store, 'a1')).toBeDefined();
        await live(TTL_MS + 4_000);
        expect(await recordOf(store, 'a1')).toBeUndefined();
      });

      test('a chain of pauses ends after ten minutes at the latest', async () => {
        await leaseOf(store);
        let lastedMs = 0;
        while ((await recordOf(store, 'a1')) !== undefined && lastedMs < 1_200_000) {
          await harness.advance(7_000);
          lastedMs += 7_000;
          await store.expire(WRITE);
        }
        expect(lastedMs).toBeGreaterThan(500_000);
        expect(lastedMs).toBeLessThanOrEqual(610_000);
      });
    });

    describe('guard', () => {
      const fill = async (count: number) => {
        const leases: string[] = [];
        for (let i = 0; i < count; i++)
          leases.push(await leaseOf(store, { field: `default/orders/i${i}` }));
        return leases;
      };
      const doubts = async () => (await store.snapshot()).instances.map(({ doubt }) => doubt);

      test('more than half of a service silent at once: unreachable, not gone, until the guard ends', async () => {
        await restart({ guardMs: 20_000 });
        await store.expire(WRITE);
        await fill(6);
        await live(TTL_MS + 2_000);
        expect(await doubts()).toEqual(Array(6).fill('unreachable'));
        await live(16_000);
        expect(await doubts()).toHaveLength(6);
        await live(6_000);
        expect(await doubts()).toEqual([]);
      });

      test('half of a service, or a small service, may go', async () => {
        const [first, ...rest] = await fill(6);
        await live(4_000);
        await store.renew([first as string, ...rest.slice(0, 2)], WRITE);
        await live(TTL_MS - 2_000);
        expect(await doubts()).toEqual([undefined, undefined, undefined]);
        await restart();
        await store.expire(WRITE);
        await fill(4);
        await live(TTL_MS + 2_000);
        expect(await doubts()).toEqual([]);
      });

      test('losses one after another within a TTL add up', async () => {
        const leases = await fill(6);
        await live(2_000);
        await store.renew(leases.slice(1), WRITE);
        await live(2_000);
        await store.renew(leases.slice(2), WRITE);
        await live(2_000);
        await store.renew(leases.slice(3), WRITE);
        await live(TTL_MS + 4_000);
        expect(await doubts()).toEqual(Array(3).fill('unreachable'));
      });

      test('one that renews is believed again', async () => {
        const leases = await fill(5);
        await live(TTL_MS + 2_000);
        await store.renew(leases.slice(0, 2), WRITE);
        expect((await doubts()).filter((doubt) => doubt === undefined)).toHaveLength(2);
      });

      test('a broken hold is no silence', async () => {
        const leases = await fill(6);
        for (const lease of leases) {
          const { hold } = (await store.hold(lease, WRITE)) as { hold: number };
          await store.suspect(lease, hold, WRITE);
        }
        await live(4_000);
        expect(await doubts()).toEqual([]);
      });
    });

    describe('log', () => {
      test('G3: revisions strictly increase, above every floor, each naming the one before', async () => {
        await leaseOf(store, { field: 'default/orders/a' });
        const { upTo } = await store.snapshot();
        await leaseOf(store, { field: 'default/orders/b', floor: upTo + 5_000_000_000 });
        await leaseOf(store, { field: 'default/orders/c' });
        const entries = await entriesAfter(store, 0);
        expect(entries.map(({ prev }) => prev)).toEqual([
          0,
          ...entries.slice(0, -1).map(({ revision }) => revision),
        ]);
        expect(entries[1]?.revision).toBeGreaterThan(upTo + 5_000_000_000);
        expect(entries[2]?.revision).toBeGreaterThan(entries[1]?.revision as number);
      });

      test('replayed from a snapshot it gives the store’s state', async () => {
        const lease = await leaseOf(store);
        const start = await store.snapshot();
        await leaseOf(store, { field: 'default/orders/b' });
        await store.update({ field: 'default/orders/a1', lease, patch: { weight: 9 }, floor: 0 });
        await store.revoke({ field: 'default/orders/b', lease: undefined, floor: 0 });
        const state = new Map(start.instances.map((record) => [record.id, record]));
        for (const entry of await entriesAfter(store, start.head.revision)) {
          if (entry.op === 'set') state.set(entry.record.id, entry.record);
          if (entry.op === 'del') state.delete(entry.field.split('/')[2] as string);
        }
        expect([...state.values()]).toEqual((await store.snapshot()).instances);
      });

      test('following waits for an entry', async () => {
        await leaseOf(store);
        const { upTo } = await store.snapshot();
        const page = store.follow(upTo, NEVER);
        await leaseOf(store, { field: 'default/orders/late' });
        expect((await page).entries).toMatchObject([{ record: { id: 'late' } }]);
      });

      test('tells a position that was trimmed from one that was lost', async () => {
        await restart({ logLength: 10 });
        const lease = await leaseOf(store);
        const { head } = await store.snapshot();
        expect(await store.continuity(head)).toBe('kept');
        expect(await store.continuity({ ...head, revision: head.revision + 1 })).toBe('lost');
        expect(await store.continuity({ ...head, epoch: 'another' })).toBe('lost');
        for (let i = 0; i < 400; i++) {
          await store.update({ field: 'default/orders/a1', lease, patch: { weight: i }, floor: 0 });
        }
        expect(await store.continuity(head)).toBe('trimmed');
      });
    });

    describe('restoring', () => {
      /** What a replica's picture offers: another store's snapshot. */
      const offerOf = async (from: Store) => {
        const { instances, resources, tombstones } = await from.snapshot();
        return { instances, resources, tombstones, floor: 0 };
      };

      test('G5: an empty store takes everything back, unconfirmed until renewed', async () => {
        const lease = await leaseOf(store);
        await putOne(store, { key: 'override/default/orders/a1', value: '{}', forMs: 0 });
        const offer = await offerOf(store);
        await restart();
        expect(await store.restore(offer)).toEqual({ taken: 2 });
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: 'unconfirmed', lease });
        expect((await store.snapshot()).resources).toEqual(offer.resources);
        expect(await store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: undefined });
      });

      test('what is not renewed is gone after one TTL', async () => {
        await leaseOf(store);
        const offer = await offerOf(store);
        await restart();
        await store.expire(WRITE);
        await store.restore(offer);
        await live(TTL_MS + 2_000);
        expect(await recordOf(store, 'a1')).toBeUndefined();
      });

      test('G5: what was deregistered does not come back, whatever the order of offers', async () => {
        await leaseOf(store, { field: 'default/orders/gone' });
        await leaseOf(store, { field: 'default/orders/back' });
        const old = await offerOf(store);
        await harness.advance(1_000);
        for (const id of ['gone', 'back']) {
          await store.revoke({ field: `default/orders/${id}`, lease: undefined, floor: 0 });
        }
        const middle = await offerOf(store);
        await harness.advance(1_000);
        await leaseOf(store, { field: 'default/orders/back' });
        const newest = await offerOf(store);
        for (const order of [
          [old, middle, newest],
          [newest, middle, old],
          [middle, newest, old],
        ]) {
          await restart();
          for (const offer of order) await store.restore(offer);
          expect((await store.snapshot()).instances.map(({ id }) => id)).toEqual(['back']);
        }
      });

      test('G5: of two primaries one saw an instance leave and the other doubted it later: it stays away', async () => {
        const lease = await leaseOf(store);
        const common = await offerOf(store);
        const held = (await store.hold(lease, WRITE)) as { hold: number };
        await harness.advance(1_000);
        await store.revoke({ field: 'default/orders/a1', lease, floor: 0 });
        const left = await offerOf(store);
        await restart();
        await store.restore(common);
        const again = (await store.hold(lease, WRITE)) as { hold: number };
        await harness.advance(5_000);
        expect(await store.suspect(lease, Math.max(held.hold, again.hold), WRITE)).toBe(true);
        const doubted = await offerOf(store);
        for (const order of [
          [left, doubted],
          [doubted, left],
        ]) {
          await restart();
          for (const offer of order) await store.restore(offer);
          expect(await recordOf(store, 'a1')).toBeUndefined();
        }
      });

      test('who fell silent at one primary, and not at the other, is asked for a sign of life', async () => {
        const lease = await leaseOf(store);
        const before = await offerOf(store);
        await live(TTL_MS + 2_000);
        expect(await recordOf(store, 'a1')).toBeUndefined();
        const silent = await offerOf(store);
        for (const order of [
          [silent, before],
          [before, silent],
        ]) {
          await restart();
          for (const offer of order) await store.restore(offer);
          expect(await recordOf(store, 'a1')).toMatchObject({ lease, doubt: 'unconfirmed' });
        }
      });

      test('a store that came back with older data loses what was deregistered since', async () => {
        await leaseOf(store);
        const older = await offerOf(store);
        await harness.advance(1_000);
        await store.revoke({ field: 'default/orders/a1', lease: undefined, floor: 0 });
        const newer = await offerOf(store);
        await restart();
        await store.restore(older);
        expect(await recordOf(store, 'a1')).toBeDefined();
        await store.restore(newer);
        expect(await recordOf(store, 'a1')).toBeUndefined();
      });

      test('a failover that lost the break of a hold, or its mending, is told of it', async () => {
        const lease = await leaseOf(store);
        const calm = await offerOf(store);
        await harness.advance(1_000);
        const held = (await store.hold(lease, WRITE)) as { hold: number };
        await store.suspect(lease, held.hold, WRITE);
        const broken = await offerOf(store);
        await harness.advance(1_000);
        await store.renew([lease], WRITE);
        const mended = await offerOf(store);
        await restart();
        await store.restore(calm);
        await store.restore(broken);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: 'suspect' });
        await store.restore(mended);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: undefined });
        await store.renew([lease], WRITE);
        expect(await recordOf(store, 'a1')).toMatchObject({ doubt: undefined });
      });

      test('a process that registered again since is not displaced by an older picture', async () => {
        const old = await leaseOf(store, { nonce: 'process-1' });
        const offer = await offerOf(store);
        await restart();
        await harness.advance(5_000);
        const fresh = await leaseOf(store, { nonce: 'process-1' });
        expect(await store.restore(offer)).toEqual({ taken: 0 });
        expect(await store.renew([fresh], WRITE)).toEqual({ unknown: [], superseded: [] });
        expect((await store.renew([old], WRITE)).unknown).toEqual([old]);
      });

      test('offering the same twice changes nothing the second time', async () => {
        await leaseOf(store);
        const offer = await offerOf(store);
        await restart();
        await store.restore(offer);
        const { upTo } = await store.snapshot();
        expect(await store.restore(offer)).toEqual({ taken: 0 });
        expect((await store.snapshot()).upTo).toBe(upTo);
      });

      test('a wiped store has another epoch', async ({ skip }) => {
        const { wipe } = harness;
        if (wipe === undefined) return skip('this store does not outlive its memory');
        await leaseOf(store);
        const { head } = await store.snapshot();
        await wipe();
        expect(await store.continuity(head)).toBe('lost');
        await leaseOf(store, { field: 'default/orders/next' });
        expect(await store.continuity(head)).toBe('lost');
        return undefined;
      });
    });
  });
}
