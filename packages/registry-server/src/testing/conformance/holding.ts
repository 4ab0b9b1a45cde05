import { describe, expect, test } from 'vitest';
import { makeLeaseId } from '../../store/lease-id.ts';
import { TTL_MS, WRITE, leaseOf, recordOf, type StoreUnderTest } from './cases.ts';

/** Cases about what the end of a connection means for an instance. */
export function holdingCases(on: StoreUnderTest): void {
  describe('holds', () => {
    test('a broken hold makes its instance suspect, and evicts it 2 s later', async () => {
      const lease = await leaseOf(on.store);
      const held = await on.store.hold(lease, WRITE);
      expect(await on.store.suspect(lease, (held as { hold: number }).hold, WRITE)).toBe(true);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: 'suspect' });
      await on.live(1_900);
      expect(await recordOf(on.store, 'a1')).toBeDefined();
      await on.live(200);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
    });

    test('a renewal or a new hold clears the doubt, and moves the deadline', async () => {
      const lease = await leaseOf(on.store);
      const first = (await on.store.hold(lease, WRITE)) as { hold: number };
      await on.store.suspect(lease, first.hold, WRITE);
      await on.store.renew([lease], WRITE);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: undefined });
      await on.live(4_000);
      expect(await recordOf(on.store, 'a1')).toBeDefined();
      const second = (await on.store.hold(lease, WRITE)) as { hold: number };
      await on.store.suspect(lease, second.hold, WRITE);
      await on.store.hold(lease, WRITE);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: undefined });
    });

    test('only the current hold counts: the late close of an older one does nothing', async () => {
      const lease = await leaseOf(on.store);
      const first = (await on.store.hold(lease, WRITE)) as { hold: number };
      const second = (await on.store.hold(lease, WRITE)) as { hold: number };
      expect(second.hold).toBeGreaterThan(first.hold);
      expect(await on.store.suspect(lease, first.hold, WRITE)).toBe(false);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: undefined });
      expect(await on.store.suspect(lease, second.hold, WRITE)).toBe(true);
    });

    test('G2: a broken hold can be told again, after a heartbeat that had been on its way', async () => {
      const lease = await leaseOf(on.store);
      const { hold } = (await on.store.hold(lease, WRITE)) as { hold: number };
      await on.store.suspect(lease, hold, WRITE);
      await on.store.renew([lease], WRITE);
      expect(await on.store.suspect(lease, hold, WRITE)).toBe(true);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: 'suspect' });
      await on.store.hold(lease, WRITE);
      expect(await on.store.suspect(lease, hold, WRITE)).toBe(false);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: undefined });
    });

    test('of an unknown lease is refused', async () => {
      expect(await on.store.hold(makeLeaseId(0, TTL_MS, 'd'.repeat(32)), WRITE)).toEqual({
        kind: 'unknown',
      });
    });
  });
}
