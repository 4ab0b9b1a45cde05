import { describe, expect, test } from 'vitest';
import type { Store } from '../../store/store.ts';
import { TTL_MS, WRITE, leaseOf, recordOf, putOne, type StoreUnderTest } from './cases.ts';

/** Cases about what returns to a store that lost its data, and what does not. */
export function restoringCases(on: StoreUnderTest): void {
  describe('restoring', () => {
    /** A replica's offer: the snapshot of another store. */
    const offerOf = async (from: Store) => {
      const { instances, resources, tombstones } = await from.snapshot();
      return { instances, resources, tombstones, floor: 0 };
    };

    test('G5: an empty store takes everything back, unconfirmed until renewed', async () => {
      const lease = await leaseOf(on.store);
      await putOne(on.store, { key: 'override/default/orders/a1', value: '{}', forMs: 0 });
      const offer = await offerOf(on.store);
      await on.restart();
      expect(await on.store.restore(offer)).toMatchObject({ taken: 2 });
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: 'unconfirmed', lease });
      expect((await on.store.snapshot()).resources).toEqual(offer.resources);
      expect(await on.store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: undefined });
    });

    test('what is not renewed is gone after one TTL', async () => {
      await leaseOf(on.store);
      const offer = await offerOf(on.store);
      await on.restart();
      await on.store.expire(WRITE);
      await on.store.restore(offer);
      await on.live(TTL_MS + 2_000);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
    });

    test('G5: what was deregistered does not come back, whatever the order of offers', async () => {
      await leaseOf(on.store, { instanceKey: 'default/orders/gone' });
      await leaseOf(on.store, { instanceKey: 'default/orders/back' });
      const old = await offerOf(on.store);
      await on.harness.advance(1_000);
      for (const id of ['gone', 'back']) {
        await on.store.revoke({ instanceKey: `default/orders/${id}`, lease: undefined, floor: 0 });
      }
      const middle = await offerOf(on.store);
      await on.harness.advance(1_000);
      await leaseOf(on.store, { instanceKey: 'default/orders/back' });
      const newest = await offerOf(on.store);
      for (const order of [
        [old, middle, newest],
        [newest, middle, old],
        [middle, newest, old],
      ]) {
        await on.restart();
        for (const offer of order) await on.store.restore(offer);
        expect((await on.store.snapshot()).instances.map(({ id }) => id)).toEqual(['back']);
      }
    });

    test('G5: of two primaries one saw an instance leave and the other doubted it later: it stays away', async () => {
      const lease = await leaseOf(on.store);
      const common = await offerOf(on.store);
      const held = (await on.store.hold(lease, WRITE)) as { hold: number };
      await on.harness.advance(1_000);
      await on.store.revoke({ instanceKey: 'default/orders/a1', lease, floor: 0 });
      const left = await offerOf(on.store);
      await on.restart();
      await on.store.restore(common);
      const again = (await on.store.hold(lease, WRITE)) as { hold: number };
      await on.harness.advance(5_000);
      expect(await on.store.suspect(lease, Math.max(held.hold, again.hold), WRITE)).toBe(true);
      const doubted = await offerOf(on.store);
      for (const order of [
        [left, doubted],
        [doubted, left],
      ]) {
        await on.restart();
        for (const offer of order) await on.store.restore(offer);
        expect(await recordOf(on.store, 'a1')).toBeUndefined();
      }
    });

    test('who fell silent at one primary, and not at the other, is asked for a sign of life', async () => {
      const lease = await leaseOf(on.store);
      const before = await offerOf(on.store);
      await on.live(TTL_MS + 2_000);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
      const silent = await offerOf(on.store);
      for (const order of [
        [silent, before],
        [before, silent],
      ]) {
        await on.restart();
        for (const offer of order) await on.store.restore(offer);
        expect(await recordOf(on.store, 'a1')).toMatchObject({ lease, doubt: 'unconfirmed' });
      }
    });

    test('a store that came back with older data loses what was deregistered since', async () => {
      await leaseOf(on.store);
      const older = await offerOf(on.store);
      await on.harness.advance(1_000);
      await on.store.revoke({ instanceKey: 'default/orders/a1', lease: undefined, floor: 0 });
      const newer = await offerOf(on.store);
      await on.restart();
      await on.store.restore(older);
      expect(await recordOf(on.store, 'a1')).toBeDefined();
      await on.store.restore(newer);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
    });

    test('a failover that lost the break of a hold, or its mending, is told of it', async () => {
      const lease = await leaseOf(on.store);
      const calm = await offerOf(on.store);
      await on.harness.advance(1_000);
      const held = (await on.store.hold(lease, WRITE)) as { hold: number };
      await on.store.suspect(lease, held.hold, WRITE);
      const broken = await offerOf(on.store);
      await on.harness.advance(1_000);
      await on.store.renew([lease], WRITE);
      const mended = await offerOf(on.store);
      await on.restart();
      await on.store.restore(calm);
      await on.store.restore(broken);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: 'suspect' });
      await on.store.restore(mended);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: undefined });
      await on.store.renew([lease], WRITE);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: undefined });
    });

    test('a process that registered again since is not displaced by an older picture', async () => {
      const old = await leaseOf(on.store, { nonce: 'process-1' });
      const offer = await offerOf(on.store);
      await on.restart();
      await on.harness.advance(5_000);
      const fresh = await leaseOf(on.store, { nonce: 'process-1' });
      expect(await on.store.restore(offer)).toMatchObject({ taken: 0 });
      expect(await on.store.renew([fresh], WRITE)).toEqual({ unknown: [], superseded: [] });
      expect((await on.store.renew([old], WRITE)).unknown).toEqual([old]);
    });

    test('offering the same twice changes nothing the second time', async () => {
      await leaseOf(on.store);
      const offer = await offerOf(on.store);
      await on.restart();
      await on.store.restore(offer);
      const { upTo } = await on.store.snapshot();
      expect(await on.store.restore(offer)).toMatchObject({ taken: 0 });
      expect((await on.store.snapshot()).upTo).toBe(upTo);
    });

    test('a wiped store has another epoch', async ({ skip }) => {
      const { wipe } = on.harness;
      if (wipe === undefined) return skip('this store does not outlive its memory');
      await leaseOf(on.store);
      const { head } = await on.store.snapshot();
      await wipe();
      expect(await on.store.continuity(head)).toBe('lost');
      await leaseOf(on.store, { instanceKey: 'default/orders/next' });
      expect(await on.store.continuity(head)).toBe('lost');
      return undefined;
    });
  });
}
