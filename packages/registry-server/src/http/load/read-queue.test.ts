import { expect, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { ReadQueue } from './read-queue.ts';

function queueOf({ maxPerSecond = 0 } = {}) {
  const clock = new ManualClock();
  const turns: (() => void)[] = [];
  let refused = 0;
  const queue = new ReadQueue({
    clock,
    maxPerSecond,
    onRefused: () => refused++,
    nextTurn: (call) => turns.push(call),
  });
  const done: string[] = [];
  /** Asks for a read that takes so long once it is its turn. */
  const read = async (caller: string, ms = 0) => {
    await queue.turn(caller);
    clock.advance(ms);
    done.push(caller);
  };
  /** The event loop goes round; gives who was served in this turn. */
  const turn = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    const served = done.splice(0);
    for (const call of turns.splice(0)) call();
    return served;
  };
  return { clock, queue, read, turn, refused: () => refused };
}

test('what is alone does not wait', async () => {
  const { read, turn } = queueOf();
  await read('a');
  expect(await turn()).toEqual(['a']);
  expect(await turn()).toEqual([]);
});

test('dear reads come one a turn, so that everything else comes in between', async () => {
  const { read, turn } = queueOf();
  for (let i = 0; i < 12; i++) void read('a', 30);
  const sizes: number[] = [];
  for (let i = 0; i < 9; i++) sizes.push((await turn()).length);
  expect(sizes).toEqual([4, 1, 1, 1, 1, 1, 1, 1, 1]);
});

test('cheap ones come by the hundred', async () => {
  const { read, turn } = queueOf();
  for (let i = 0; i < 500; i++) void read('a');
  let turns = 0;
  for (let served = 0; served < 500; turns++) served += (await turn()).length;
  expect(turns).toBeLessThan(12);
});

test('callers are served in turn: one that floods does not keep another waiting', async () => {
  const { read, turn } = queueOf();
  for (let i = 0; i < 100; i++) void read('flood', 30);
  await turn();
  void read('other', 1);
  const served = [...(await turn()), ...(await turn()), ...(await turn())];
  expect(served).toContain('other');
});

test('beyond its rate, or with too many waiting, a caller is told to come back, and others are not', async () => {
  const { clock, read, refused } = queueOf({ maxPerSecond: 10 });
  const said: unknown[] = [];
  for (let i = 0; i < 15; i++) void read('a').catch((error: unknown) => said.push(error));
  void read('b').catch((error: unknown) => said.push(error));
  for (let i = 0; i < 20; i++) await Promise.resolve();
  expect(said).toHaveLength(5);
  expect(said[0]).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 });
  expect(refused()).toBe(5);
  clock.advance(1_000);
  let isRefused = false;
  void read('a').catch(() => (isRefused = true));
  for (let i = 0; i < 20; i++) await Promise.resolve();
  expect(isRefused).toBe(false);
});
