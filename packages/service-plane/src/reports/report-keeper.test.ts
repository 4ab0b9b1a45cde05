import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { ReportKeeper } from './report-keeper.ts';

/** Lets promises settle between two moments. */
async function pass(runtime: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    runtime.advance(100);
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

function start() {
  const runtime = new ManualClock();
  const wall = new Map<string, string>();
  const said: string[] = [];
  const troubles: string[] = [];
  const state = { isAway: false };
  const port = {
    async post(key: string, notice: string) {
      said.push(`+${key}`);
      if (state.isAway) throw new Error('away');
      wall.set(key, notice);
    },
    async withdraw(key: string) {
      said.push(`-${key}`);
      if (state.isAway) throw new Error('away');
      wall.delete(key);
    },
  };
  const board = new ReportKeeper<string>(port, {
    forMs: 60_000,
    random: () => 0.5,
    clock: runtime,
    onTrouble: ({ message }) => troubles.push(message),
  });
  onTestFinished(() => board.close());
  return { board, runtime, wall, said, troubles, state };
}

test('said on change only, and again before it lapses', async () => {
  const { board, runtime, wall, said } = start();
  for (let i = 0; i < 100; i++) board.set('a', 'fine');
  await pass(runtime, 500);
  expect(said).toEqual(['+a']);
  board.set('a', 'broken');
  board.set('a', 'worse');
  await pass(runtime, 500);
  expect(said).toEqual(['+a', '+a']);
  expect(wall.get('a')).toBe('worse');
  await pass(runtime, 28_000);
  expect(said).toHaveLength(2);
  await pass(runtime, 2_000);
  expect(said).toHaveLength(3);
});

test('a thousand at once go out at a bounded rate, and all do', async () => {
  const { board, runtime, wall, said } = start();
  for (let i = 0; i < 1_000; i++) board.set(`s${i}`, 'fine');
  await pass(runtime, 1_000);
  expect(said.length).toBeLessThanOrEqual(200);
  expect(said.length).toBeGreaterThan(50);
  await pass(runtime, 14_000);
  expect(wall.size).toBe(1_000);
});

test('while the other side is away it is tried at growing intervals, the trouble said once, the latest said at last', async () => {
  const { board, runtime, wall, said, troubles, state } = start();
  state.isAway = true;
  board.set('a', 'one');
  board.set('b', 'one');
  await pass(runtime, 30_000);
  expect(said.length).toBeLessThan(14);
  expect(troubles).toEqual(['away']);
  board.set('a', 'two');
  state.isAway = false;
  await pass(runtime, 60_000);
  expect(wall.get('a')).toBe('two');
  expect(wall.get('b')).toBe('one');
});

test('what is removed is taken down, once; what was never up is not', async () => {
  const { board, runtime, wall, said } = start();
  board.set('a', 'fine');
  await pass(runtime, 300);
  board.withdraw('a');
  board.set('never', 'fine');
  board.withdraw('never');
  board.withdraw('unknown');
  await pass(runtime, 100_000);
  expect(said).toEqual(['+a', '-a']);
  expect(wall.size).toBe(0);
});

test('what may stand although the answer was lost is taken down too, but not for ever', async () => {
  const { board, runtime, said, state } = start();
  state.isAway = true;
  board.set('a', 'fine');
  await pass(runtime, 300);
  board.withdraw('a');
  await pass(runtime, 600_000);
  expect(said).toEqual(['+a', '-a', '-a', '-a']);
});

test('what cannot be taken down at the end is reported once', async () => {
  const { board, runtime, troubles, state } = start();
  board.set('a', 'fine');
  board.set('b', 'fine');
  await pass(runtime, 1_000);
  state.isAway = true;
  await board.close();
  expect(troubles).toEqual(['away']);
});

test('closing takes down what stands', async () => {
  const { board, runtime, wall } = start();
  for (let i = 0; i < 50; i++) board.set(`s${i}`, 'fine');
  await pass(runtime, 2_000);
  expect(wall.size).toBe(50);
  await board.close();
  expect(wall.size).toBe(0);
  await board.close();
});
