import { expect, test } from 'vitest';
import { Affinity } from './affinity.ts';

const A = { id: 'a/http', instance: 'a' };
const B = { id: 'b/http', instance: 'b' };

test('a bond lasts from one use to the next, not longer', () => {
  const affinity = new Affinity({ durationMs: 1_000, maxClients: 10 });
  affinity.pin('c1', A, 0);
  expect(affinity.renewBond('c1', 900)).toMatchObject(A);
  expect(affinity.renewBond('c1', 1_800)).toMatchObject(A);
  expect(affinity.renewBond('c1', 2_800)).toBeUndefined();
  expect(affinity.renewBond('c1', 2_801)).toBeUndefined();
});

test('the latest bond counts', () => {
  const affinity = new Affinity({ durationMs: 1_000, maxClients: 10 });
  affinity.pin('c1', A, 0);
  affinity.pin('c1', B, 10);
  expect(affinity.renewBond('c1', 20)).toMatchObject(B);
  expect(affinity.size).toBe(1);
});

test('it never grows beyond its limit and forgets who has been away for longest', () => {
  const affinity = new Affinity({ durationMs: 60_000, maxClients: 100 });
  for (let client = 0; client < 100; client++) affinity.pin(`c${client}`, A, client);
  affinity.renewBond('c0', 200);
  affinity.pin('new', B, 201);
  expect(affinity.size).toBe(100);
  expect(affinity.renewBond('c1', 202)).toBeUndefined();
  expect(affinity.renewBond('c0', 202)).toMatchObject(A);
});

test('what has run out makes room by itself', () => {
  const affinity = new Affinity({ durationMs: 100, maxClients: 1_000 });
  for (let client = 0; client < 500; client++) affinity.pin(`c${client}`, A, 0);
  affinity.pin('new', B, 100);
  expect(affinity.size).toBe(1);
});
