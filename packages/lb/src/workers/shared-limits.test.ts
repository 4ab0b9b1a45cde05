import type { SharedUse } from '@rollcall/dataplane';
import { expect, test } from 'vitest';
import { SharedLimits } from './shared-limits.ts';

const use = (connections: number, requests: number, open = connections): SharedUse => ({
  connections,
  sources:
    requests === 0 && open === 0 ? [] : [{ name: 's', connections: open, requests, bytes: 0 }],
});

const told = (limits: SharedLimits<string>, workers: string[]) =>
  Object.fromEntries(limits.exchange(workers));

test('each worker learns what all the others have used, once', () => {
  const limits = new SharedLimits<string>();
  limits.note('a', use(3, 10));
  limits.note('a', use(2, 5));
  limits.note('b', use(1, 7));
  expect(told(limits, ['a', 'b', 'c'])).toEqual({
    a: { connections: 1, sources: [{ name: 's', connections: 1, requests: 7, bytes: 0 }] },
    b: { connections: 2, sources: [{ name: 's', connections: 2, requests: 15, bytes: 0 }] },
    c: { connections: 3, sources: [{ name: 's', connections: 3, requests: 22, bytes: 0 }] },
  });
  expect(told(limits, ['a', 'b', 'c'])).toEqual({});
});

test('the connections of a worker that has ended are gone for the others', () => {
  const limits = new SharedLimits<string>();
  limits.note('a', use(3, 0, 3));
  told(limits, ['a', 'b']);
  limits.forget('a');
  expect(told(limits, ['b'])).toEqual({
    b: { connections: 0, sources: [{ name: 's', connections: 0, requests: 0, bytes: 0 }] },
  });
  expect(told(limits, ['b'])).toEqual({});
});

test('after other limits nothing from before counts', () => {
  const limits = new SharedLimits<string>();
  limits.note('a', use(3, 5));
  limits.reset();
  expect(told(limits, ['a', 'b'])).toEqual({});
});
