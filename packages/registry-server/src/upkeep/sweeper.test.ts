import { Supervisor } from '@rollcall/daemon';
import { expect, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { type Store, StoreUnavailableError, type SweepOutcome } from '../store/store.ts';
import { Sweeper } from './sweeper.ts';

const DONE: SweepOutcome = {
  expired: 0,
  guarded: 0,
  graceUntilMs: 0,
  more: false,
  isUncertain: false,
};

function sweeping(outcomes: (SweepOutcome | Error)[]) {
  const clock = new ManualClock();
  const floors: number[] = [];
  const told: [boolean, string | undefined][] = [];
  const faults: unknown[] = [];
  const store = {
    async expire({ floor }: { readonly floor: number }) {
      floors.push(floor);
      const outcome = outcomes.shift() ?? DONE;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  } as Store;
  const supervisor = new Supervisor({
    clock,
    isExpected: (error) => error instanceof StoreUnavailableError,
    onFault: (_, error) => faults.push(error),
  });
  const sweeper = new Sweeper({
    store,
    clock,
    supervisor,
    floor: () => 7,
    onWritable: (isWritable, error) => told.push([isWritable, error?.message]),
  });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(500);
      for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    }
  };
  return { sweeper, floors, told, faults, pass };
}

test('one round sweeps until nothing more is due', async () => {
  const more = { ...DONE, expired: 1_000, more: true };
  const { sweeper, floors, pass } = sweeping([more, more, { ...DONE, expired: 5, guarded: 2 }]);
  await pass(500);
  expect(floors).toEqual([7, 7, 7]);
  expect(sweeper.totals).toEqual({ expired: 2_005, guarded: 2, sweeps: 3, failures: 0 });
});

test('a store that is away is swept again at the next turn, and told once', async () => {
  const away = () => new StoreUnavailableError('Redis: gone');
  const { sweeper, told, faults, pass } = sweeping([away(), away(), away()]);
  await pass(500);
  expect(sweeper.isFailing).toBe(true);
  await pass(1_000);
  expect(sweeper.totals.failures).toBe(3);
  expect(sweeper.ageMs).toBe(1_500);
  await pass(500);
  expect([sweeper.isFailing, sweeper.ageMs]).toEqual([false, 0]);
  expect(told).toEqual([
    [false, 'Redis: gone'],
    [true, undefined],
  ]);
  expect(faults).toEqual([]);
});

test('a fault of ours in every sweep is told each time, and sweeping fails for all to see', async () => {
  const fault = new TypeError('ours');
  const { sweeper, told, faults, pass } = sweeping([fault, fault, fault]);
  await pass(5_000);
  expect(faults).toEqual([fault, fault, fault]);
  expect(told).toEqual([]);
  await pass(5_000);
  expect(sweeper.isFailing).toBe(false);
});
