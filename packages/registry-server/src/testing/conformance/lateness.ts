import { describe, expect, test } from 'vitest';
import { TTL_MS, WRITE, bodyOf, grantOf, leaseOf, recordOf, type StoreUnderTest } from './cases.ts';

/** Cases about requests that arrive after a newer one was carried out. */
export function lateCases(on: StoreUnderTest): void {
  describe('G5, G8: writes that the network held back', () => {
    const instanceKey = 'default/orders/a1';
    const nonce = 'process-1';
    const sent = (sequence: number, weight = 100) =>
      grantOf({ nonce, sequence, takeover: true, body: bodyOf({ weight }) });
    const weightNow = async () => (await recordOf(on.store, 'a1'))?.body.weight;

    test('an older registration changes nothing of a newer one, nor of what was changed since', async () => {
      const first = await on.store.grant(sent(2));
      const lease = (first as { lease: string }).lease;
      const drain = { status: 'draining' } as const;
      await on.store.update({ instanceKey, lease, patch: drain, sequence: 3, floor: 0 });
      const { upTo } = await on.store.snapshot();
      for (const late of [sent(1, 7), sent(2, 7), sent(3, 7)]) {
        expect(await on.store.grant(late)).toMatchObject({ kind: 'granted', lease });
        expect(await recordOf(on.store, 'a1')).toMatchObject({
          body: { weight: 100, status: 'draining' },
        });
      }
      expect((await on.store.snapshot()).upTo).toBe(upTo);
      await on.store.grant(sent(4, 9));
      expect(await weightNow()).toBe(9);
    });

    test('an older change changes nothing, a later one does, and one that is not numbered does', async () => {
      const lease = await leaseOf(on.store, { nonce, sequence: 1 });
      const change = (weight: number, sequence?: number) =>
        on.store.update({
          instanceKey,
          lease,
          patch: { weight },
          ...(sequence === undefined ? {} : { sequence }),
          floor: 0,
        });
      await change(3, 3);
      expect(await change(2, 2)).toMatchObject({ kind: 'changed' });
      expect(await weightNow()).toBe(3);
      await change(3, 5);
      await change(4, 4);
      expect(await weightNow()).toBe(3);
      await change(6);
      expect(await weightNow()).toBe(6);
      await on.store.update({
        instanceKey,
        lease: undefined,
        patch: { weight: 8 },
        sequence: 1,
        floor: 0,
      });
      expect(await weightNow()).toBe(8);
    });

    test('what was sent before the process left brings nothing back, however it left', async () => {
      const lease = await leaseOf(on.store, { nonce, sequence: 2 });
      await on.store.revoke({ instanceKey, lease, floor: 0 });
      expect(await on.store.grant(sent(1))).toEqual({ kind: 'late' });
      expect(await on.store.grant(sent(2))).toEqual({ kind: 'late' });
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
      expect(await on.store.grant(sent(3))).toMatchObject({ kind: 'granted' });
      await on.live(TTL_MS + 2_000);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
      expect(await on.store.grant(sent(3))).toEqual({ kind: 'late' });
    });

    test('nor does one whose registration was never answered, and which leaves by its nonce', async () => {
      const leave = { instanceKey, lease: undefined, nonce, sequence: 2, floor: 0 } as const;
      expect(await on.store.revoke(leave)).toEqual({ kind: 'missing' });
      expect(await on.store.grant(sent(1))).toEqual({ kind: 'late' });
      await leaseOf(on.store, { nonce: 'process-2' });
      expect(await on.store.revoke({ ...leave, sequence: 3 })).toEqual({ kind: 'superseded' });
      expect(await recordOf(on.store, 'a1')).toMatchObject({ nonce: 'process-2' });
      await on.store.revoke({ ...leave, nonce: 'process-2' });
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
    });

    test('nor does one that was displaced meanwhile, takeover or not', async () => {
      await leaseOf(on.store, { nonce, sequence: 2 });
      const next = await leaseOf(on.store, { nonce: 'process-2', sequence: 1, takeover: true });
      expect(await on.store.grant(sent(1))).toEqual({ kind: 'late' });
      expect(await on.store.grant(sent(2))).toEqual({ kind: 'late' });
      expect(await on.store.renew([next], WRITE)).toEqual({ unknown: [], superseded: [] });
    });

    test('a repetition is a sign of life, what is older is none, and neither clears a doubt', async () => {
      const lease = await leaseOf(on.store, { nonce, sequence: 2 });
      await on.live(TTL_MS - 2_000);
      await on.store.grant(sent(2));
      await on.live(TTL_MS - 2_000);
      expect(await recordOf(on.store, 'a1')).toBeDefined();
      const { hold } = (await on.store.hold(lease, WRITE)) as { hold: number };
      await on.store.suspect(lease, hold, WRITE);
      await on.store.grant(sent(2));
      expect(await recordOf(on.store, 'a1')).toMatchObject({ doubt: 'suspect' });
      await on.live(4_000);
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
    });

    test('the number is given back with the picture', async () => {
      await leaseOf(on.store, { nonce, sequence: 5 });
      const { instances, resources, tombstones } = await on.store.snapshot();
      expect(instances[0]).toMatchObject({ nonce, sequence: 5 });
      await on.restart();
      await on.store.restore({ instances, resources, tombstones, floor: 0 });
      expect(await recordOf(on.store, 'a1')).toMatchObject({ nonce, sequence: 5 });
      await on.store.grant(sent(4, 7));
      expect(await weightNow()).toBe(100);
    });
  });
}
