import type { InstanceKey } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { Roll } from './roll.ts';

/** As docs/promises.md has it. */
const REMEMBERED = 200_000;
const DAY_MS = 86_400_000;

const emptyRoll = () =>
  new Roll(
    {
      head: { epoch: 'e', revision: 0, digest: '' },
      upTo: 0,
      unreadable: new Map(),
      instances: [],
      resources: [],
      tombstones: [],
    },
    0,
  );

function leave(roll: Roll, number: number, atMs = 0): void {
  const instanceKey: InstanceKey = `default/orders/i${number}`;
  const base = { revision: number, prev: number - 1, before: '', digest: '', atMs: 0 };
  roll.apply({ ...base, op: 'del', why: 'deregistered', instanceKey }, atMs);
}

test('of more departures than are remembered the latest are offered to a store that lost its own', () => {
  const roll = emptyRoll();
  const all = REMEMBERED + 500;
  for (let number = 1; number <= all; number++) leave(roll, number);
  const { tombstones } = roll.offer(0);
  expect(tombstones).toHaveLength(REMEMBERED);
  expect(tombstones[0]).toMatchObject({ member: 'i:default/orders/i501', revision: 501 });
  expect(tombstones.at(-1)).toMatchObject({ member: `i:default/orders/i${all}`, revision: all });
});

test('a departure is remembered for a day', () => {
  const roll = emptyRoll();
  leave(roll, 1);
  leave(roll, 2, 1_000);
  const offered = (atMs: number) => roll.offer(atMs).tombstones.map(({ member }) => member);
  expect(offered(DAY_MS - 1)).toEqual(['i:default/orders/i1', 'i:default/orders/i2']);
  expect(offered(DAY_MS)).toEqual(['i:default/orders/i2']);
  expect(offered(DAY_MS + 1_000)).toEqual([]);
});
