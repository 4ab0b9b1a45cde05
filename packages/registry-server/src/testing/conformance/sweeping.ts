import { describe, expect, test } from 'vitest';
import { TTL_MS, WRITE, leaseOf, recordOf, entriesAfter, type StoreUnderTest } from './cases.ts';

/** Cases about which instances are evicted, when, and when none are. */
export function sweepingCases(on: StoreUnderTest): void {
  describe('sweeping', () => {
    test('evicts what is past its deadline, and nothing else', async () => {
      await leaseOf(on.store, { instanceKey: 'default/orders/short', ttlMs: 3_000 });
      await leaseOf(on.store, { instanceKey: 'default/orders/long', ttlMs: 60_000 });
      await on.live(4_000);
      expect((await on.store.snapshot()).instances.map(({ id }) => id)).toEqual(['long']);
      expect((await entriesAfter(on.store, 0)).at(-1)).toMatchObject({ op: 'del', why: 'expired' });
    });

    test('after a pause nothing is evicted until one longest TTL has passed', async () => {
      const lease = await leaseOf(on.store);
      await on.harness.advance(60_000);
      expect(await on.store.expire(WRITE)).toMatchObject({ expired: 0 });
      await on.live(TTL_MS - 2_000);
      expect(await recordOf(on.store, 'a1')).toBeDefined();
      expect(await on.store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
      await on.live(TTL_MS - 2_000);
      expect(await recordOf(on.store, 'a1')).toBeDefined();
      await on.live(TTL_MS);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
    });

    test('G2: after a pause longer than every lease nobody is up by itself: each has its own TTL to renew', async () => {
      const leases = [];
      for (const [id, ttlMs] of [
        ['short', 3_000],
        ['renewing', 3_000],
        ['long', 60_000],
      ] as const) {
        leases.push(await leaseOf(on.store, { instanceKey: `default/orders/${id}`, ttlMs }));
      }
      await leaseOf(on.store, { instanceKey: 'default/orders/kept', lease: '' });
      await on.live(1_000);
      await on.harness.advance(600_000);
      const renewing = leases[1] as string;
      const states = async () => {
        const { instances } = await on.store.snapshot();
        return Object.fromEntries(instances.map(({ id, doubt }) => [id, doubt]));
      };
      expect(await on.store.expire(WRITE)).toMatchObject({ expired: 0, isUncertain: true });
      const doubt = 'unconfirmed';
      expect(await states()).toEqual({
        short: doubt,
        renewing: doubt,
        long: doubt,
        kept: undefined,
      });
      await on.live(2_000);
      await on.store.renew([renewing], WRITE);
      await on.live(2_000);
      expect(await states()).toEqual({ renewing: undefined, long: doubt, kept: undefined });
      expect((await entriesAfter(on.store, 0)).some(({ why }) => why === 'unconfirmed')).toBe(true);
      await on.store.renew([renewing], WRITE);
      await on.live(58_000);
      expect(await states()).toEqual({ kept: undefined });
      expect(await on.store.expire(WRITE)).toMatchObject({ isUncertain: false });
    });

    test('whoever renewed after the pause and before the first sweep is not doubted', async () => {
      const lease = await leaseOf(on.store);
      await leaseOf(on.store, { instanceKey: 'default/orders/other' });
      await on.live(1_000);
      await on.harness.advance(60_000);
      await on.store.renew([lease], WRITE);
      await on.store.expire(WRITE);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: undefined });
      expect(await recordOf(on.store, 'other')).toMatchObject({ doubt: 'unconfirmed' });
    });

    test('thousands are doubted in as many sweeps as it takes, and nobody is evicted before', async () => {
      for (let i = 0; i < 2_500; i++) {
        await leaseOf(on.store, { instanceKey: `default/orders/i${i}`, maxInstances: 5_000 });
      }
      await on.live(1_000);
      await on.harness.advance(60_000);
      let sweeps = 0;
      while ((await on.store.expire(WRITE)).more) sweeps++;
      expect(sweeps).toBeLessThan(50);
      const { instances } = await on.store.snapshot();
      expect(instances.filter(({ doubt }) => doubt === 'unconfirmed')).toHaveLength(2_500);
    });

    test('a short pause is not held against whoever could not renew in it', async () => {
      const ttlMs = 3_000;
      const lease = await leaseOf(on.store, { instanceKey: 'default/orders/a1', ttlMs });
      await leaseOf(on.store, { instanceKey: 'default/orders/long', ttlMs: 60_000 });
      await on.live(1_000);
      await on.harness.advance(2_500);
      expect(await on.store.expire(WRITE)).toMatchObject({ expired: 0 });
      await on.live(1_000);
      expect(await on.store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
      await on.live(2_900);
      expect(await recordOf(on.store, 'a1')).toBeDefined();
      // The grace was twice 2.5 s at most, not a minute.
      await on.live(1_100);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
    });

    test('a clock set back evicts nothing, and deadlines far ahead are brought back', async () => {
      await leaseOf(on.store);
      await on.harness.advance(-3_600_000);
      expect(await on.store.expire(WRITE)).toMatchObject({ expired: 0 });
      await on.live(TTL_MS - 2_000);
      expect(await recordOf(on.store, 'a1')).toBeDefined();
      await on.live(TTL_MS + 4_000);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
    });

    test('a chain of pauses ends after ten minutes at the latest', async () => {
      await leaseOf(on.store);
      let lastedMs = 0;
      while ((await recordOf(on.store, 'a1')) !== undefined && lastedMs < 1_200_000) {
        await on.harness.advance(7_000);
        lastedMs += 7_000;
        await on.store.expire(WRITE);
      }
      expect(lastedMs).toBeGreaterThan(500_000);
      expect(lastedMs).toBeLessThanOrEqual(610_000);
    });
  });

  describe('guard', () => {
    const fill = async (count: number) => {
      const leases: string[] = [];
      for (let i = 0; i < count; i++)
        leases.push(await leaseOf(on.store, { instanceKey: `default/orders/i${i}` }));
      return leases;
    };
    const doubts = async () => (await on.store.snapshot()).instances.map(({ doubt }) => doubt);

    test('more than half of a service silent at once: unreachable, not gone, until the guard ends', async () => {
      await on.restart({ guardMs: 20_000 });
      await on.store.expire(WRITE);
      await fill(6);
      await on.live(TTL_MS + 2_000);
      expect(await doubts()).toEqual(Array(6).fill('unreachable'));
      await on.live(16_000);
      expect(await doubts()).toHaveLength(6);
      await on.live(6_000);
      expect(await doubts()).toEqual([]);
    });

    test('half of a service, or a small service, may go', async () => {
      const [first, ...rest] = await fill(6);
      await on.live(4_000);
      await on.store.renew([first as string, ...rest.slice(0, 2)], WRITE);
      await on.live(TTL_MS - 2_000);
      expect(await doubts()).toEqual([undefined, undefined, undefined]);
      await on.restart();
      await on.store.expire(WRITE);
      await fill(4);
      await on.live(TTL_MS + 2_000);
      expect(await doubts()).toEqual([]);
    });

    test('losses one after another within a TTL add up', async () => {
      const leases = await fill(6);
      await on.live(2_000);
      await on.store.renew(leases.slice(1), WRITE);
      await on.live(2_000);
      await on.store.renew(leases.slice(2), WRITE);
      await on.live(2_000);
      await on.store.renew(leases.slice(3), WRITE);
      await on.live(TTL_MS + 4_000);
      expect(await doubts()).toEqual(Array(3).fill('unreachable'));
    });

    test('one that renews is believed again', async () => {
      const leases = await fill(5);
      await on.live(TTL_MS + 2_000);
      await on.store.renew(leases.slice(0, 2), WRITE);
      expect((await doubts()).filter((doubt) => doubt === undefined)).toHaveLength(2);
    });

    test('a broken hold is no silence', async () => {
      const leases = await fill(6);
      for (const lease of leases) {
        const { hold } = (await on.store.hold(lease, WRITE)) as { hold: number };
        await on.store.suspect(lease, hold, WRITE);
      }
      await on.live(4_000);
      expect(await doubts()).toEqual([]);
    });
  });
}
