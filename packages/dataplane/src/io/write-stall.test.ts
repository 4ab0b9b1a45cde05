import { expect, test } from 'vitest';
import { WriteStall } from './write-stall.ts';

function started(): WriteStall {
  const stall = new WriteStall({ boundMs: 30_000, lookMs: 10_000 });
  stall.watch(0);
  return stall;
}

test('a queue that stays as it is shows a stall, 30 to 60 s after the last progress', () => {
  const stall = started();
  const seen = [9_000, 9_000, 9_000, 9_000, 9_000].map((length, look) =>
    stall.judge(length, (look + 1) * 10_000),
  );
  expect(seen).toEqual(['waiting', 'waiting', 'waiting', 'stalled', 'stalled']);
});

test('a queue that shrinks or is filled anew shows a peer that takes', () => {
  const stall = started();
  stall.judge(9_000, 10_000);
  expect(stall.judge(8_999, 20_000)).toBe('taking');
  expect(stall.judge(9_000, 30_000)).toBe('taking');
  expect(stall.judge(9_000, 60_000)).toBe('waiting');
  expect(stall.judge(9_000, 70_000)).toBe('stalled');
});

test('an empty queue has been sent, however often it is looked at', () => {
  const stall = started();
  expect(stall.judge(0, 10_000)).toBe('sent');
  expect(stall.judge(0, 900_000)).toBe('sent');
});

test('where the system does not tell, the bound is ten times as long', () => {
  const stall = started();
  expect(stall.judge(-1, 299_000)).toBe('waiting');
  expect(stall.judge(-1, 300_000)).toBe('stalled');
});
