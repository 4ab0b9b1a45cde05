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

/** Cases about which process gets an id, and what its lease allows. */
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
