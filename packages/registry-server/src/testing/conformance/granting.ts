import { describe, expect, test } from 'vitest';
import { makeLeaseId } from '../../store/lease-id.ts';
import {
  TTL_MS,
  WRITE,
  bodyOf,
  grantOf,
  leaseOf,
  recordOf,
  entriesAfter,
  type StoreUnderTest,
} from './cases.ts';

/** Who gets an id, and what a lease is good for. */
export function grantingCases(on: StoreUnderTest): void {
  describe('granting', () => {
    test('a free id gets the lease asked for, and is in snapshot and log', async () => {
      const request = grantOf();
      const outcome = await on.store.grant(request);
      expect(outcome).toMatchObject({ kind: 'granted', lease: request.lease });
      const record = await recordOf(on.store, 'a1');
      expect(record).toMatchObject({
        namespace: 'default',
        service: 'orders',
        lease: request.lease,
        doubt: undefined,
      });
      expect(record?.body).toEqual(request.body);
      const [entry] = await entriesAfter(on.store, 0);
      expect(entry).toMatchObject({
        op: 'set',
        why: 'registered',
        prev: 0,
        record: { id: 'a1' },
      });
    });

    test('the same nonce gets the same lease, and a new revision only for new content', async () => {
      const first = await on.store.grant(grantOf({ nonce: 'process-1' }));
      const again = await on.store.grant(grantOf({ nonce: 'process-1' }));
      expect(again).toEqual(first);
      const changed = await on.store.grant(
        grantOf({ nonce: 'process-1', body: bodyOf({ weight: 7 }) }),
      );
      expect(changed).toMatchObject({
        kind: 'granted',
        lease: (first as { lease: string }).lease,
      });
      expect((await recordOf(on.store, 'a1'))?.body.weight).toBe(7);
      expect(await entriesAfter(on.store, 0)).toHaveLength(2);
    });

    test('another nonce is refused while the holder lives, and granted with takeover', async () => {
      const old = await leaseOf(on.store, { nonce: 'process-1' });
      expect(await on.store.grant(grantOf({ nonce: 'process-2' }))).toEqual({ kind: 'taken' });
      const successor = await leaseOf(on.store, { nonce: 'process-2', takeover: true });
      expect(successor).not.toBe(old);
      expect((await entriesAfter(on.store, 0)).map((entry) => entry.why)).toEqual([
        'registered',
        'superseded',
      ]);
    });

    test('another nonce is granted when the holder is suspect, or past its deadline', async () => {
      const old = await leaseOf(on.store, { nonce: 'process-1' });
      const held = await on.store.hold(old, WRITE);
      await on.store.suspect(old, (held as { hold: number }).hold, WRITE);
      expect(await on.store.grant(grantOf({ nonce: 'process-2' }))).toMatchObject({
        kind: 'granted',
      });
      await on.harness.advance(TTL_MS + 1);
      expect(await on.store.grant(grantOf({ nonce: 'process-3' }))).toMatchObject({
        kind: 'granted',
      });
    });

    test('no nonce takes over', async () => {
      const old = await leaseOf(on.store, { nonce: 'process-1' });
      expect(await on.store.grant(grantOf())).toMatchObject({ kind: 'granted' });
      expect(await on.store.renew([old], WRITE)).toEqual({ unknown: [], superseded: [old] });
    });

    test('a full service takes no new instance, but an old one again', async () => {
      await leaseOf(on.store, { maxInstances: 1 });
      const second = grantOf({ instanceKey: 'default/orders/a2', maxInstances: 1 });
      expect(await on.store.grant(second)).toEqual({ kind: 'full' });
      expect(await on.store.grant(grantOf({ maxInstances: 1 }))).toMatchObject({ kind: 'granted' });
      await on.store.revoke({ instanceKey: 'default/orders/a1', lease: undefined, floor: 0 });
      expect(await on.store.grant(second)).toMatchObject({ kind: 'granted' });
    });

    test('a persistent instance holds no lease and never expires', async () => {
      const outcome = await on.store.grant(grantOf({ lease: '' }));
      expect(outcome).toMatchObject({ kind: 'granted', lease: '' });
      await on.live(TTL_MS * 3);
      expect(await recordOf(on.store, 'a1')).toMatchObject({ lease: '' });
    });
  });

  describe('G6: a process that was displaced', () => {
    const former = () => grantOf({ nonce: 'process-1' });
    const displace = async () => {
      await leaseOf(on.store, { nonce: 'process-1' });
      return leaseOf(on.store, { nonce: 'process-2', takeover: true });
    };

    test('stays so when the hold of its successor breaks', async () => {
      const lease = await displace();
      const { hold } = (await on.store.hold(lease, WRITE)) as { hold: number };
      await on.store.suspect(lease, hold, WRITE);
      expect(await on.store.grant(former())).toEqual({ kind: 'taken' });
      expect(await on.store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
      expect(await on.store.grant(grantOf({ nonce: 'process-3' }))).toEqual({ kind: 'taken' });
    });

    test('stays so after the store was away for longer than its lease', async () => {
      const lease = await displace();
      await on.harness.advance(TTL_MS * 3);
      expect(await on.store.grant(former())).toEqual({ kind: 'taken' });
      await on.store.expire(WRITE);
      expect(await on.store.grant(former())).toEqual({ kind: 'taken' });
      expect(await on.store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
    });

    test('comes back once its successor is gone, or by takeover', async () => {
      const lease = await displace();
      await on.store.revoke({ instanceKey: 'default/orders/a1', lease, floor: 0 });
      expect(await on.store.grant(former())).toMatchObject({ kind: 'granted' });
      const next = { nonce: 'process-2', takeover: true };
      expect(await on.store.grant(grantOf(next))).toMatchObject({ kind: 'granted' });
      const again = { nonce: 'process-1', takeover: true };
      expect(await on.store.grant(grantOf(again))).toMatchObject({ kind: 'granted' });
      expect(await on.store.grant(grantOf({ nonce: 'process-2' }))).toEqual({ kind: 'taken' });
    });
  });

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

  describe('G6: a lease that has a successor', () => {
    test('cannot renew, hold, change or revoke', async () => {
      const old = await leaseOf(on.store, { nonce: 'process-1' });
      const next = await leaseOf(on.store, { nonce: 'process-2', takeover: true });
      const instanceKey = 'default/orders/a1';
      expect(await on.store.renew([old, next], WRITE)).toEqual({ unknown: [], superseded: [old] });
      expect(await on.store.hold(old, WRITE)).toEqual({ kind: 'superseded' });
      const patch = { weight: 1 };
      expect(await on.store.update({ instanceKey, lease: old, patch, floor: 0 })).toEqual({
        kind: 'superseded',
      });
      expect(await on.store.revoke({ instanceKey, lease: old, floor: 0 })).toEqual({
        kind: 'superseded',
      });
      expect(await recordOf(on.store, 'a1')).toMatchObject({ lease: next, body: { weight: 100 } });
    });

    test('is told so even when it had expired before the successor came', async () => {
      const old = await leaseOf(on.store);
      await on.live(TTL_MS + 2_000);
      expect(await on.store.renew([old], WRITE)).toEqual({ unknown: [old], superseded: [] });
      await leaseOf(on.store);
      expect(await on.store.renew([old], WRITE)).toEqual({ unknown: [], superseded: [old] });
    });
  });

  describe('renewing', () => {
    test('G1: a lease renewed before its deadline is never evicted', async () => {
      const lease = await leaseOf(on.store);
      for (let i = 0; i < 8; i++) {
        await on.live(TTL_MS - 2_000);
        expect(await on.store.renew([lease], WRITE)).toEqual({ unknown: [], superseded: [] });
      }
      expect(await recordOf(on.store, 'a1')).toBeDefined();
    });

    test('changes no revision', async () => {
      const lease = await leaseOf(on.store);
      const { upTo } = await on.store.snapshot();
      await on.store.renew([lease, lease], WRITE);
      await on.store.renew([lease], WRITE);
      expect((await on.store.snapshot()).upTo).toBe(upTo);
    });

    test('names the unknown ones among many', async () => {
      const known: string[] = [];
      for (let i = 0; i < 50; i++)
        known.push(await leaseOf(on.store, { instanceKey: `default/orders/i${i}` }));
      const strange = makeLeaseId(0, TTL_MS, 'f'.repeat(32));
      const outcome = await on.store.renew([...known, strange, ...known], WRITE);
      expect(outcome).toEqual({ unknown: [strange], superseded: [] });
    });

    test('several calls at once each learn their own', async () => {
      const lease = await leaseOf(on.store);
      const strange = makeLeaseId(0, TTL_MS, 'e'.repeat(32));
      const [good, bad] = await Promise.all([
        on.store.renew([lease], WRITE),
        on.store.renew([strange], WRITE),
      ]);
      expect(good.unknown).toEqual([]);
      expect(bad.unknown).toEqual([strange]);
    });
  });
}
