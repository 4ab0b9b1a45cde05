import { ManualClock } from '@rollcall/runtime/testing';
import { expect, test } from 'vitest';
import { backlogTaken } from './backlog.ts';

const SECOND = 1_000;
const ALONE = { mostMs: SECOND, isShared: false };

/** Counts the turns of the event loop; connections arrive in the first `busy` of them. */
function startLoop(busy: number) {
  const loop = { turns: 0, accepted: 0, stop: () => clearImmediate(next) };
  let next = setImmediate(turn);
  function turn(): void {
    loop.turns++;
    if (loop.turns <= busy) loop.accepted++;
    next = setImmediate(turn);
  }
  return loop;
}

test('it ends once no connection has come for two turns', async () => {
  const loop = startLoop(20);
  await backlogTaken(() => loop.accepted, new ManualClock(), ALONE);
  loop.stop();
  expect(loop.accepted).toBe(20);
  expect(loop.turns).toBeLessThan(25);
});

test('at a socket of its own it takes all that wait, even one in a turn', async () => {
  const loop = startLoop(2_000);
  await backlogTaken(() => loop.accepted, new ManualClock(), ALONE);
  loop.stop();
  expect(loop.accepted).toBe(2_000);
});

test('at one that others share, connections that keep arriving hold it up for a limited number of turns', async () => {
  const loop = startLoop(Number.POSITIVE_INFINITY);
  await backlogTaken(() => loop.accepted, new ManualClock(), { ...ALONE, isShared: true });
  loop.stop();
  expect(loop.turns).toBeGreaterThan(150);
  expect(loop.turns).toBeLessThan(250);
});

test('and at any for a limited time', async () => {
  const loop = startLoop(Number.POSITIVE_INFINITY);
  const clock = new ManualClock();
  const taken = backlogTaken(() => loop.accepted, clock, ALONE);
  await expect.poll(() => loop.turns).toBeGreaterThan(2);
  clock.advance(SECOND);
  const before = loop.turns;
  await taken;
  loop.stop();
  expect(loop.turns - before).toBeLessThan(5);
});
