import { describe, expect, test } from 'vitest';
import { INSTANCE_TOMBSTONE_MS } from '../../store/limits.ts';
import {
  WRITE,
  bodyOf,
  leaseOf,
  recordOf,
  entriesAfter,
  putOne,
  type StoreUnderTest,
} from './cases.ts';

/** Cases about changes of instances and resources. */
export function changingCases(on: StoreUnderTest): void {
  describe('changing', () => {
    test('status, weight and labels change; a label set to null goes', async () => {
      await leaseOf(on.store);
      const patch = {
        status: 'draining',
        weight: 5,
        labels: { app: null, tier: 'web' },
      } as const;
      const instanceKey = 'default/orders/a1';
      expect(
        await on.store.update({ instanceKey, lease: undefined, patch, floor: 0 }),
      ).toMatchObject({
        kind: 'changed',
      });
      const record = await recordOf(on.store, 'a1');
      expect(record?.body).toEqual(
        bodyOf({ status: 'draining', weight: 5, labels: { tier: 'web' } }),
      );
      expect((await entriesAfter(on.store, 0)).at(-1)).toMatchObject({ why: 'draining' });
    });

    test('nothing new takes no revision', async () => {
      await leaseOf(on.store);
      const before = await on.store.snapshot();
      const patch = { status: 'up', labels: { app: 'orders' } } as const;
      await on.store.update({
        instanceKey: 'default/orders/a1',
        lease: undefined,
        patch,
        floor: 0,
      });
      expect((await on.store.snapshot()).upTo).toBe(before.upTo);
    });

    test('what is not there is missing', async () => {
      const instanceKey = 'default/orders/nobody';
      const change = { instanceKey, lease: undefined, floor: 0 } as const;
      expect(await on.store.update({ ...change, patch: { weight: 1 } })).toEqual({
        kind: 'missing',
      });
      expect(await on.store.revoke(change)).toEqual({ kind: 'missing' });
    });

    test('a revoked instance is gone, and its lease unknown', async () => {
      const lease = await leaseOf(on.store);
      expect(
        await on.store.revoke({ instanceKey: 'default/orders/a1', lease, floor: 0 }),
      ).toMatchObject({
        kind: 'changed',
      });
      expect(await recordOf(on.store, 'a1')).toBeUndefined();
      expect(await on.store.renew([lease], WRITE)).toEqual({ unknown: [lease], superseded: [] });
      expect((await entriesAfter(on.store, 0)).at(-1)).toMatchObject({
        op: 'del',
        why: 'deregistered',
      });
    });
  });

  test('those who left are forgotten after a minute, however many there are', async () => {
    const count = 1_200;
    for (let i = 0; i < count; i++) {
      const instanceKey = `default/orders/i${i}` as const;
      const lease = await leaseOf(on.store, { instanceKey });
      await on.store.revoke({ instanceKey, lease, floor: 0 });
    }
    const remembered = async () =>
      (await on.store.snapshot()).tombstones.filter(({ member }) => member.startsWith('i:'));
    expect(await remembered()).toHaveLength(count);
    await on.harness.advance(INSTANCE_TOMBSTONE_MS + 1_000);
    let sweeps = 1;
    while ((await on.store.expire(WRITE)).more) sweeps++;
    expect(sweeps).toBeLessThan(10);
    expect(await remembered()).toEqual([]);
  });

  describe('resources', () => {
    test('are put, read, removed and remembered', async () => {
      const key = 'override/default/orders/a1';
      const put = await putOne(on.store, { key, value: '{"a":"b|c"}', forMs: 0 });
      expect((await on.store.snapshot()).resources).toEqual([put]);
      expect(put).toMatchObject({ key, value: '{"a":"b|c"}', untilMs: 0 });
      expect(await on.store.remove({ key, floor: 0 })).toMatchObject({
        kind: 'changed',
      });
      expect(await on.store.remove({ key, floor: 0 })).toEqual({
        kind: 'missing',
      });
      const { resources, tombstones } = await on.store.snapshot();
      expect(resources).toEqual([]);
      expect(tombstones.map(({ member }) => member)).toContain(`r:${key}`);
    });

    test('are removed only at the revision that the caller expects', async () => {
      const key = 'override/default/orders/a1';
      const first = await putOne(on.store, { key, value: '{}', forMs: 0 });
      const second = await putOne(on.store, { key, value: '{"a":1}', forMs: 0 });
      const stale = await on.store.remove({ key, floor: 0, expected: first.revision });
      expect(stale).toEqual({ kind: 'other' });
      const { resources, head } = await on.store.snapshot();
      expect([resources, head.revision]).toEqual([[second], second.revision]);
      const gone = await on.store.remove({ key, floor: 0, expected: second.revision });
      expect(gone).toMatchObject({ kind: 'changed' });
      const again = await on.store.remove({ key, floor: 0, expected: second.revision });
      expect(again).toEqual({ kind: 'missing' });
    });

    test('with an end go by themselves', async () => {
      const key = 'override/default/orders/a1';
      await putOne(on.store, { key, value: '{}', forMs: 3_000 });
      await on.live(2_000);
      expect((await on.store.snapshot()).resources).toHaveLength(1);
      await on.live(2_000);
      expect((await on.store.snapshot()).resources).toHaveLength(0);
      expect((await entriesAfter(on.store, 0)).at(-1)).toMatchObject({ op: 'rm', key });
    });
  });
}
