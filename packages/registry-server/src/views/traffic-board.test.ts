import { LATENCY_BOUNDS_MS } from '@rollcall/contract';
import { ManualClock } from '@rollcall/runtime/testing';
import { expect, test } from 'vitest';
import { TrafficBoard } from './traffic-board.ts';

function traffic(endpoint: string, calls: number, service = 'web') {
  const latencies = [calls, ...LATENCY_BOUNDS_MS.map(() => 0)];
  return { service, endpoint, calls, failures: 1, inFlight: 2, latencies };
}

function reportOf(endpoints: ReturnType<typeof traffic>[], windowMs = 2_000, forMs = 10_000) {
  return { windowMs, forMs, endpoints };
}

const everything = () => true;

function start() {
  const clock = new ManualClock();
  const board = new TrafficBoard(clock);
  const put = (reporter: string, report = reportOf([traffic('a/http', 10)]), owner = 'red') =>
    board.put({ namespace: 'default', reporter, owner }, report);
  const rate = (endpoint = 'a/http') =>
    board.loads('default', everything).find((load) => load.endpoint === endpoint)?.callsPerSecond;
  return { clock, board, put, rate };
}

test('the callers are added up, each by the length of its window', () => {
  const { board, put } = start();
  put('one');
  put('two', reportOf([traffic('a/http', 10), traffic('b/http', 1)], 1_000));
  const [a, b, ...others] = board.loads('*', everything);
  expect(a).toMatchObject({ callers: 2, callsPerSecond: 15, failuresPerSecond: 1.5, inFlight: 4 });
  expect(a?.latencies[0]).toBe(15);
  expect(b).toMatchObject({ endpoint: 'b/http', callers: 1, callsPerSecond: 1 });
  expect(others).toEqual([]);
});

test('a caller replaces its report, and with two handles of a service it is one caller', () => {
  const { board, put } = start();
  put('one');
  put('one', reportOf([traffic('a/http', 4), traffic('a/http', 4)]));
  expect(board.loads('default', everything)).toMatchObject([{ callers: 1, callsPerSecond: 4 }]);
});

test('a token cannot replace the report of another one', () => {
  const { put, rate } = start();
  put('one');
  put('one', reportOf([traffic('a/http', 2)]), 'blue');
  expect(rate()).toBe(6);
});

test('a report ends by itself', () => {
  const { clock, board, put, rate } = start();
  put('one');
  clock.advance(5_000);
  put('two', reportOf([traffic('a/http', 2)]));
  clock.advance(5_000);
  expect(rate()).toBe(1);
  clock.advance(5_000);
  expect(board.loads('*', everything)).toEqual([]);
});

test('other namespaces are not shown', () => {
  const { board, put } = start();
  put('one');
  expect(board.loads('shop', everything)).toEqual([]);
});

test('what the roll does not have is not shown', () => {
  const { board, put } = start();
  put('one', reportOf([traffic('a/http', 1), traffic('made-up/http', 1)]));
  const shown = board.loads('default', (_, __, endpoint) => endpoint === 'a/http');
  expect(shown.map(({ endpoint }) => endpoint)).toEqual(['a/http']);
});

const many = (name: string, count = 10_000) =>
  reportOf(Array.from({ length: count }, (_, i) => traffic(`${name}-${i}/http`, 2)));

test('when there is too much, the oldest reports go, and never the newest', () => {
  const { put, rate } = start();
  for (let i = 0; i < 15; i++) put(`caller-${i}`, many(`c${i}`));
  expect(rate('c5-0/http')).toBeUndefined();
  expect(rate('c6-0/http')).toBe(1);
  expect(rate('c14-9999/http')).toBe(1);
});

test('they are those of the token that has the most: nobody crowds the others out', () => {
  const { put, rate } = start();
  put('quiet', many('quiet', 100), 'blue');
  for (let i = 0; i < 15; i++) put(`caller-${i}`, many(`c${i}`));
  expect(rate('quiet-0/http')).toBe(1);
});

test('reports without an entry are bounded as well', () => {
  const { board, put } = start();
  put('quiet', undefined, 'blue');
  for (let i = 0; i < 110_000; i++) put(`empty-${i}`, reportOf([]));
  expect(board.loads('*', everything)).toHaveLength(1);
  expect(board.size).toBeLessThanOrEqual(100_000);
});

test('the largest counts add up to numbers that a reader takes', () => {
  const { board, put } = start();
  const huge = { ...traffic('a/http', 1_000_000_000), inFlight: 1_000_000_000 };
  for (let i = 0; i < 1_000; i++) put(`caller-${i}`, reportOf([huge], 10));
  const [load] = board.loads('*', everything);
  expect(Number.isSafeInteger(load?.inFlight)).toBe(true);
});
