import { expect, test } from 'vitest';
import { Supervisor } from './supervisor.ts';

class Away extends Error {}

function supervised() {
  const ticks: (() => void)[] = [];
  const told: [string, unknown][] = [];
  const supervisor = new Supervisor({
    clock: {
      every(_ms, call) {
        ticks.push(call);
        return { cancel: () => void ticks.splice(ticks.indexOf(call), 1) };
      },
    },
    isExpected: (error) => error instanceof Away,
    onFault: (loop, error) => told.push([loop, error]),
  });
  /** So many ticks, everything that they set going run to its end. */
  const tick = async (count = 1) => {
    for (let i = 0; i < count; i++) {
      for (const call of ticks) call();
      for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    }
  };
  return { supervisor, told, tick, ticks };
}

test('a loop goes on after a fault, which is told with its loop and counted; what is expected is neither', async () => {
  const { supervisor, told, tick } = supervised();
  const errors: unknown[] = [new TypeError('ours'), new Away(), 'a text'];
  let turns = 0;
  const loop = supervisor.every('sweeper', 500, () => {
    turns++;
    const error = errors.shift();
    if (error !== undefined) throw error;
  });
  expect(loop.isFailing).toBe(false);
  await tick();
  expect(loop.isFailing).toBe(true);
  await tick(30);
  expect(loop.isFailing).toBe(false);
  expect(turns).toBeGreaterThan(20);
  expect(told).toEqual([
    ['sweeper', new TypeError('ours')],
    ['sweeper', 'a text'],
  ]);
  expect([...supervisor.faults]).toEqual([['sweeper', 2]]);
});

test('pauses grow while it fails, up to 5 s, and are as before afterwards', async () => {
  const { supervisor, tick } = supervised();
  let isBroken = true;
  let turns = 0;
  supervisor.every('sweeper', 500, async () => {
    turns++;
    if (isBroken) throw new TypeError('ours');
  });
  await tick(100);
  // 1, 2, 4, 8, then every tenth tick.
  expect(turns).toBeGreaterThan(10);
  expect(turns).toBeLessThan(15);
  isBroken = false;
  await tick(20);
  turns = 0;
  await tick(10);
  expect(turns).toBe(10);
});

test('one turn at a time, however long it takes, and none after the end', async () => {
  const { supervisor, tick, ticks } = supervised();
  let end: () => void = () => {};
  let running = 0;
  let most = 0;
  let turns = 0;
  const loop = supervisor.every('follower', 500, async () => {
    turns++;
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => (end = resolve));
    running--;
  });
  await tick(5);
  expect(turns).toBe(1);
  end();
  await tick(2);
  expect([turns, most]).toEqual([2, 1]);
  end();
  loop.cancel();
  expect(ticks).toEqual([]);
});

test('what runs once tells whether it went well and never rejects', async () => {
  const { supervisor, told } = supervised();
  expect(await supervisor.run('self', () => 1)).toBe(true);
  expect(await supervisor.run('self', () => Promise.reject(new Away()))).toBe(false);
  expect(told).toEqual([]);
  const fault = () => {
    throw new RangeError('ours');
  };
  expect(await supervisor.run('self', fault)).toBe(false);
  supervisor.guard('timer', fault)();
  expect(told.map(([loop]) => loop)).toEqual(['self', 'timer']);
});
