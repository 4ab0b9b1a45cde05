import { ManualClock } from '@rollcall/runtime/testing';
import { expect, test } from 'vitest';
import { endpoint, FakeSource } from '../testing/fake-source.ts';
import { parseDuration } from './duration.ts';
import { OperatedSource } from './operated-source.ts';
import { Operations, type OperationsState } from './operations.ts';

function setUp(state?: OperationsState) {
  const clock = new ManualClock();
  const states: OperationsState[] = [];
  const onState = (one: OperationsState) => void states.push(one);
  const operations = new Operations({ clock, log: () => {}, state, onState });
  const a = endpoint(1, { zone: 'a' });
  const b = endpoint(2, { zone: 'b' });
  const source = new FakeSource([a, b]);
  return {
    clock,
    operations,
    source,
    states,
    shown: new OperatedSource(source, 'web', operations),
  };
}

test('a drained target leaves, and comes back as it was', () => {
  const { operations, source, shown } = setUp();
  let changes = 0;
  shown.onChange(() => changes++);
  expect(shown.endpoints()).toBe(source.endpoints());
  operations.drain('web', 'i1/http', false);
  const [first, second] = shown.endpoints()!;
  expect(first).toMatchObject({ state: 'draining', ready: false, tier: null, serving: true });
  expect(first).toMatchObject({ terminating: true, reason: 'drained by an operator' });
  expect(second).toBe(source.endpoints()![1]);
  // The same list as long as nothing changes, because others compare it.
  expect(shown.endpoints()).toBe(shown.endpoints());
  operations.drain('other', 'i2/http', false);
  expect(shown.endpoints()![1]).toBe(second);
  expect(operations.undrain('web', 'i1/http')).toBe(true);
  expect(operations.undrain('web', 'i1/http')).toBe(false);
  expect(shown.endpoints()).toBe(source.endpoints());
  expect(changes).toBe(3);
  shown.close();
  operations.drain('web', 'i1/http', false);
  expect(changes).toBe(3);
});

test('it holds for one that registers again, and by force it serves nothing', () => {
  const { operations, source, shown } = setUp();
  operations.drain('web', 'i1/http', true);
  source.show(endpoint(2));
  source.show(endpoint(2), endpoint(1));
  expect(shown.endpoints()![1]).toMatchObject({ id: 'i1/http', serving: false, terminating: true });
});

test('a zone comes back by itself', () => {
  const { clock, operations, shown, states } = setUp();
  operations.shift('b', 60_000, false);
  expect(shown.endpoints()!.map(({ ready }) => ready)).toEqual([true, false]);
  expect(shown.endpoints()![1]!.reason).toMatch(/^zone b gets no requests until \S+Z$/);
  clock.advance(59_000);
  operations.tick();
  expect(shown.endpoints()![1]!.ready).toBe(false);
  clock.advance(1_000);
  operations.tick();
  expect(shown.endpoints()!.map(({ ready }) => ready)).toEqual([true, true]);
  expect(states.map(({ shifts }) => shifts.length)).toEqual([1, 0]);
});

test('a later process begins with what was asked for', () => {
  const first = setUp();
  first.operations.shift('b', 60_000, false);
  first.operations.drain('web', 'i1/http', false);
  const second = setUp(JSON.parse(JSON.stringify(first.states.at(-1))) as OperationsState);
  expect(second.shown.endpoints()!.map(({ ready }) => ready)).toEqual([false, false]);
  expect(second.operations.state).toEqual(first.operations.state);
});

test.each([
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['168h', 604_800_000],
  ['169h', undefined],
  ['0s', undefined],
  ['30', undefined],
  ['', undefined],
  ['-1s', undefined],
  ['1d', undefined],
])('%j is %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
