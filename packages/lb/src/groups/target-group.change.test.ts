import { expect, test } from 'vitest';
import { endpoint } from '../testing/fake-source.ts';
import { GroupBench } from '../testing/group-bench.ts';
import type { TargetWay } from './target-way.ts';

const CHECKED = ', healthCheck: { unhealthyThreshold: 2, intervalMs: 10000 }';
const TWO = [endpoint(1), endpoint(2)];

test('another policy and delay: the targets, their health and their ejection stay', async () => {
  const bench = new GroupBench(CHECKED, [...TWO, endpoint(3)]);
  const before = bench.group.targets();
  bench.failing.add(1);
  await bench.round();
  await bench.round();
  bench.group.onFailed(bench.target(2), true);
  expect(bench.states()).toEqual({ 1: 'unhealthy', 2: 'ejected', 3: 'healthy' });
  const { since } = bench.target(1).standing;
  bench.configure(`${CHECKED}, policy: random, deregistrationDelayMs: 500`);
  expect(bench.states()).toEqual({ 1: 'unhealthy', 2: 'ejected', 3: 'healthy' });
  expect(bench.group.targets()).toEqual(before);
  expect(bench.target(1).standing.since).toBe(since);
  expect(bench.group.config.policy).toBe('random');
  bench.target(3).begin();
  bench.source.show(...TWO);
  bench.clock.advance(1_000);
  bench.group.tick();
  expect(bench.severed).toEqual(['i3/http']);
});

test('an ejection that has begun ends as it would have, later ones follow the new rules', () => {
  const bench = new GroupBench(', ejection: { baseMs: 1000 }', TWO);
  bench.group.onFailed(bench.target(1), true);
  bench.configure(', ejection: { baseMs: 20000, failuresInARow: 1, serverErrors: false }');
  expect(bench.used()).toEqual([2]);
  bench.clock.advance(1_200);
  bench.group.tick();
  expect(bench.used()).toEqual([1, 2]);
  bench.group.onAnswered(bench.target(2), 500);
  expect(bench.used()).toEqual([1, 2]);
  bench.group.onFailed(bench.target(2), false);
  bench.clock.advance(10_000);
  bench.group.tick();
  expect(bench.used()).toEqual([1]);
});

test('another check begins where the last one ended, with its own thresholds', async () => {
  const bench = new GroupBench(CHECKED, TWO);
  bench.failing.add(1);
  await bench.round();
  bench.configure(', healthCheck: { path: /other, unhealthyThreshold: 2, healthyThreshold: 1 }');
  await bench.round(0);
  expect(bench.states()).toEqual({ 1: 'unhealthy', 2: 'healthy' });
  bench.failing.clear();
  await bench.round();
  expect(bench.states()).toEqual({ 1: 'healthy', 2: 'healthy' });
});

test('checks are taken away, and added', async () => {
  const bench = new GroupBench(CHECKED, TWO);
  bench.failing.add(1);
  await bench.round();
  await bench.round();
  expect(bench.used()).toEqual([2]);
  bench.configure('');
  expect(bench.used()).toEqual([1, 2]);
  const { checks } = bench;
  await bench.round();
  expect(bench.checks).toBe(checks);
  bench.configure(CHECKED);
  expect(bench.states()).toEqual({ 1: 'initial', 2: 'initial' });
  await bench.round(0);
  await bench.round();
  expect(bench.states()).toEqual({ 1: 'unhealthy', 2: 'healthy' });
});

test('a group that was removed lets its requests finish, and cuts them off after its delay', async () => {
  const bench = new GroupBench(`${CHECKED}, deregistrationDelayMs: 5000`, TWO);
  bench.target(1).begin();
  bench.group.retire();
  expect(bench.retired).toEqual(['i1/http', 'i2/http']);
  const { checks } = bench;
  await bench.round(1_000);
  expect(bench.states()).toEqual({ 1: 'draining', 2: 'draining' });
  expect([bench.group.isDrained, bench.checks]).toEqual([false, checks]);
  bench.source.show(endpoint(3));
  expect(bench.states()).not.toHaveProperty('3');
  await bench.round(5_000);
  expect(bench.severed).toEqual(['i1/http']);
  bench.target(1).end();
  bench.group.tick();
  expect(bench.group.isDrained).toBe(true);
});

test('another way: new connections use it, and checks begin where the last ones ended', async () => {
  const bench = new GroupBench(CHECKED, TWO);
  bench.failing.add(1);
  await bench.round();
  await bench.round();
  expect(bench.states()).toEqual({ 1: 'unhealthy', 2: 'healthy' });
  const before = bench.group.targets();
  const way = {} as TargetWay;
  bench.configure(CHECKED, way);
  expect(bench.group.targets()).toEqual(before);
  expect(before.map(({ connector }) => connector)).toEqual([way, way]);
  expect(bench.renewed).toEqual(['i1/http', 'i2/http']);
  expect(bench.states()).toEqual({ 1: 'unhealthy', 2: 'healthy' });
  const { checks } = bench;
  await bench.round(0);
  expect(bench.checks).toBe(checks + 2);
  bench.configure(`${CHECKED}, policy: random`, way);
  expect(bench.renewed).toHaveLength(2);
  bench.source.show(...TWO, endpoint(3));
  expect(bench.target(3).connector).toBe(way);
});
