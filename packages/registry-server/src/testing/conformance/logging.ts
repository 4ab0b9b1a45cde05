import { describe, expect, test } from 'vitest';
import { leaseOf, entriesAfter, type StoreUnderTest } from './cases.ts';

/** Cases about the log, and about resuming from a position in it. */
export function loggingCases(on: StoreUnderTest): void {
  describe('log', () => {
    test('G3: revisions strictly increase, above every floor, each naming the one before', async () => {
      await leaseOf(on.store, { instanceKey: 'default/orders/a' });
      const { upTo } = await on.store.snapshot();
      await leaseOf(on.store, { instanceKey: 'default/orders/b', floor: upTo + 5_000_000_000 });
      await leaseOf(on.store, { instanceKey: 'default/orders/c' });
      const entries = await entriesAfter(on.store, 0);
      expect(entries.map(({ prev }) => prev)).toEqual([
        0,
        ...entries.slice(0, -1).map(({ revision }) => revision),
      ]);
      expect(entries[1]?.revision).toBeGreaterThan(upTo + 5_000_000_000);
      expect(entries[2]?.revision).toBeGreaterThan(entries[1]?.revision as number);
    });

    test('replayed from a snapshot it gives the store’s state', async () => {
      const lease = await leaseOf(on.store);
      const start = await on.store.snapshot();
      await leaseOf(on.store, { instanceKey: 'default/orders/b' });
      await on.store.update({
        instanceKey: 'default/orders/a1',
        lease,
        patch: { weight: 9 },
        floor: 0,
      });
      await on.store.revoke({ instanceKey: 'default/orders/b', lease: undefined, floor: 0 });
      const state = new Map(start.instances.map((record) => [record.id, record]));
      for (const entry of await entriesAfter(on.store, start.head.revision)) {
        if (entry.op === 'set') state.set(entry.record.id, entry.record);
        if (entry.op === 'del') state.delete(entry.instanceKey.split('/')[2] as string);
      }
      expect([...state.values()]).toEqual((await on.store.snapshot()).instances);
    });

    test('following waits for an entry', async () => {
      await leaseOf(on.store);
      const { upTo } = await on.store.snapshot();
      const page = on.store.follow(upTo, new AbortController().signal);
      await leaseOf(on.store, { instanceKey: 'default/orders/late' });
      expect((await page).entries).toMatchObject([{ record: { id: 'late' } }]);
    });

    test('tells a position that was trimmed from one that was lost', async () => {
      await on.restart({ logLength: 10 });
      const lease = await leaseOf(on.store);
      const { head } = await on.store.snapshot();
      expect(await on.store.continuity(head)).toBe('kept');
      expect(await on.store.continuity({ ...head, revision: head.revision + 1 })).toBe('lost');
      expect(await on.store.continuity({ ...head, epoch: 'another' })).toBe('lost');
      for (let i = 0; i < 400; i++) {
        await on.store.update({
          instanceKey: 'default/orders/a1',
          lease,
          patch: { weight: i },
          floor: 0,
        });
      }
      expect(await on.store.continuity(head)).toBe('trimmed');
    });
  });
}
