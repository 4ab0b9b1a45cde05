import { expect, test } from 'vitest';
import { KEPT_CHANGES, TargetHistory } from './target-history.ts';

const change = (atMs: number) => ({ atMs, event: 'healthy', reason: 'up' }) as const;

test('of each target the last changes are kept, and only so many targets', () => {
  const history = new TargetHistory();
  for (let i = 0; i < 50; i++) history.add('web', 'a', change(i));
  const times = history
    .of('web')
    .get('a')!
    .map(({ atMs }) => atMs);
  expect(times).toEqual(Array.from({ length: KEPT_CHANGES }, (_, at) => 50 - KEPT_CHANGES + at));
  for (let i = 0; i < 499; i++) history.add('web', `t${i}`, change(i));
  expect(history.of('web').size).toBe(500);
  // It is not the oldest one any more.
  history.add('web', 'a', change(60));
  history.add('web', 'new', change(61));
  expect(history.of('web').size).toBe(500);
  expect(history.of('web').has('a')).toBe(true);
  expect(history.of('web').has('t0')).toBe(false);
});

test('groups that are no more are forgotten', () => {
  const history = new TargetHistory();
  history.add('web', 'a', change(1));
  history.add('api', 'b', change(1));
  history.retain(new Set(['api']));
  expect(history.of('web').size).toBe(0);
  expect(history.of('api').size).toBe(1);
});
