import type { ChangeEvent, Endpoint, SnapshotEvent } from '@rollcall/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointAt } from '../testing/fake-registry.ts';
import {
  isNewer,
  nextExpiryMs,
  type Picture,
  withChange,
  withoutExpired,
  withSnapshot,
} from './picture.ts';

const at = { nowMs: 0, graceMs: 1_000 };
const snapshot = (revision: number, endpoints: Endpoint[], epoch = 'e1'): SnapshotEvent => ({
  namespace: 'default',
  service: 'orders',
  revision: String(revision),
  epoch,
  declared: null,
  endpoints,
});
const change = (revision: number, upserts: Endpoint[], removes: string[] = []): ChangeEvent => ({
  namespace: 'default',
  service: 'orders',
  revision: String(revision),
  upserts,
  removes,
});
const ids = ({ snapshot: { endpoints } }: Picture) => endpoints.map(({ id }) => id);
const a = endpointAt(1, { instance: 'a' });
const b = endpointAt(2, { instance: 'b' });

test('revisions compare as numbers, of any length', () => {
  expect(isNewer('10', '9')).toBe(true);
  expect(isNewer('9', '10')).toBe(false);
  expect(isNewer('9', '9')).toBe(false);
  expect(isNewer('1792224000000001', '1792224000000000')).toBe(true);
});

test('pictures are frozen, endpoints and labels included', () => {
  const { snapshot: shown } = withSnapshot(undefined, snapshot(1, [a]), at);
  expect(Object.isFrozen(shown)).toBe(true);
  expect(Object.isFrozen(shown.endpoints)).toBe(true);
  expect(Object.isFrozen(shown.endpoints[0])).toBe(true);
  expect(Object.isFrozen(shown.endpoints[0]?.labels)).toBe(true);
});

test('a change already held, or older, gives the same picture', () => {
  const first = withSnapshot(undefined, snapshot(10, [a]), at);
  expect(withChange(first, change(10, [b]))).toBe(first);
  expect(withChange(first, change(9, [b]))).toBe(first);
  expect(ids(withChange(first, change(11, [b], ['a/http'])))).toEqual(['b/http']);
});

test('an older snapshot of the same store changes nothing, a newer one replaces everything', () => {
  const first = withSnapshot(undefined, snapshot(10, [a]), at);
  expect(withSnapshot(first, snapshot(9, []), at)).toBe(first);
  expect(ids(withSnapshot(first, snapshot(11, []), at))).toEqual([]);
});

describe('a snapshot of another store', () => {
  const first = withSnapshot(undefined, snapshot(10, [a, b]), at);
  const emptied = withSnapshot(first, snapshot(3, [], 'e2'), at);

  test('empties nothing: those missing stay as a last resort', () => {
    expect(emptied.snapshot.endpoints).toMatchObject([
      { id: 'a/http', state: 'unconfirmed', tier: 1, ready: true, serving: true },
      { id: 'b/http', state: 'unconfirmed', tier: 1 },
    ]);
    expect(emptied.snapshot.revision).toBe('3');
    expect(nextExpiryMs(emptied)).toBe(1_000);
  });

  test('those that were not to be called stay so', () => {
    const draining = endpointAt(3, { instance: 'd', state: 'draining' });
    const before = withSnapshot(undefined, snapshot(10, [draining]), at);
    const after = withSnapshot(before, snapshot(3, [], 'e2'), at);
    expect(after.snapshot.endpoints).toMatchObject([{ state: 'draining', tier: null }]);
  });

  test('one that comes back is as before, one that is removed is gone', () => {
    const back = withChange(emptied, change(4, [a], ['b/http']));
    expect(back.snapshot.endpoints).toEqual([a]);
    expect(nextExpiryMs(back)).toBe(Infinity);
  });

  test('a second snapshot of that store does not drop those in grace, nor prolong it', () => {
    const again = withSnapshot(emptied, snapshot(5, [a], 'e2'), { nowMs: 500, graceMs: 1_000 });
    expect(ids(again)).toEqual(['a/http', 'b/http']);
    expect(nextExpiryMs(again)).toBe(1_000);
    const third = withSnapshot(again, snapshot(1, [], 'e3'), { nowMs: 600, graceMs: 1_000 });
    expect([...third.unconfirmed]).toEqual([
      ['a/http', 1_600],
      ['b/http', 1_000],
    ]);
  });

  test('the grace ends', () => {
    expect(withoutExpired(emptied, 999)).toBe(emptied);
    const after = withoutExpired(emptied, 1_000);
    expect(ids(after)).toEqual([]);
    expect(nextExpiryMs(after)).toBe(Infinity);
  });
});

test('changes replayed in any overlapping batches give the state that the log gives', () => {
  const entry = fc.record({ index: fc.nat(5), isRemove: fc.boolean(), weight: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), fc.array(fc.nat(40)), (log, restarts) => {
      const changes = log.map(({ index, isRemove, weight }, i) => {
        const endpoint = endpointAt(index + 1, { instance: `i${index}`, weight });
        return isRemove ? change(i + 2, [], [endpoint.id]) : change(i + 2, [endpoint]);
      });
      const truth = new Map<string, number>();
      for (const { upserts, removes } of changes) {
        for (const { id, weight } of upserts) truth.set(id, weight);
        for (const id of removes) truth.delete(id);
      }
      let picture = withSnapshot(undefined, snapshot(1, []), at);
      changes.forEach((one, i) => {
        picture = withChange(picture, one);
        // A second stream sends again, and late, what this one already had.
        const from = restarts[i] ?? i;
        for (const old of changes.slice(Math.min(from, i), i)) picture = withChange(picture, old);
      });
      const held = new Map(picture.snapshot.endpoints.map(({ id, weight }) => [id, weight]));
      expect(Object.fromEntries(held)).toEqual(Object.fromEntries(truth));
    }),
  );
});
