import { expect, test } from 'vitest';
import { DRAINING, endpoint } from '../testing/fake-source.ts';
import { GroupBench } from '../testing/group-bench.ts';

test('before the first picture it says why; with an empty one, that nobody is there', () => {
  const bench = new GroupBench();
  const group = 'target group "g" (service hello in namespace default)';
  expect(bench.group.hasPicture).toBe(false);
  expect(bench.group.snapshot().pick([])).toBeUndefined();
  expect(bench.group.snapshot().explainNone()).toEqual({
    code: 'no_picture',
    detail: 'the targets for this request are not known yet',
    cause: `${group} has no picture from the registry yet: the registry cannot be reached`,
  });
  bench.source.show();
  expect(bench.group.hasPicture).toBe(true);
  expect(bench.group.snapshot().explainNone()).toEqual({
    code: 'no_targets',
    detail: 'no target can take this request at the moment',
    cause: `${group} has no target that takes requests: no instance is registered`,
  });
});

test('a new instance takes requests at once, and one that leaves gets none', () => {
  const bench = new GroupBench('', [endpoint(1)]);
  expect(bench.used()).toEqual([1]);
  bench.source.show(endpoint(1), endpoint(2));
  expect(bench.used()).toEqual([1, 2]);
  const before = bench.group.snapshot();
  bench.source.show(endpoint(2));
  expect(bench.used()).toEqual([2]);
  expect(bench.retired).toEqual(['i1/http']);
  expect(before.pick([])).toBeDefined();
});

test('tier 0 is used before tier 1', () => {
  const suspect = endpoint(2, { state: 'suspect', tier: 1, reason: 'its hold broke' });
  const bench = new GroupBench('', [endpoint(1), suspect]);
  expect(bench.used()).toEqual([1]);
  expect(bench.target(2).standing).toMatchObject({
    state: 'healthy',
    reason: expect.stringMatching(/^its hold broke \(tier 1/),
  });
  bench.source.show(suspect);
  expect(bench.used()).toEqual([2]);
});

test('instances that are not ready are unused, with the reason', () => {
  const bench = new GroupBench('', [
    endpoint(1, { state: 'starting', ready: false, tier: null }),
    endpoint(2, { state: 'down', ready: false, tier: null, reason: 'taken out by ann' }),
  ]);
  expect(bench.used()).toEqual([]);
  expect(bench.target(1).standing).toMatchObject({
    state: 'unused',
    reason: 'the instance is starting',
  });
  expect(bench.target(2).standing.reason).toBe('taken out by ann');
  expect(bench.group.snapshot().explainNone().cause).toContain(
    'none of 2 is ready: starting, down',
  );
});

test('what is under way on a leaving target gets its time, then is broken', () => {
  const bench = new GroupBench(', deregistrationDelayMs: 5000', [endpoint(1), endpoint(2)]);
  const target = bench.target(1);
  target.begin();
  bench.source.show(endpoint(1, DRAINING), endpoint(2));
  expect(bench.used()).toEqual([2]);
  expect(bench.retired).toEqual(['i1/http']);
  expect(bench.states()).toEqual({ 1: 'draining', 2: 'healthy' });
  bench.source.show(endpoint(2));
  expect(bench.states()).toEqual({ 1: 'draining', 2: 'healthy' });
  bench.clock.advance(4_900);
  bench.group.tick();
  expect(bench.severed).toEqual([]);
  bench.clock.advance(200);
  bench.group.tick();
  bench.group.tick();
  expect(bench.severed).toEqual(['i1/http']);
  target.end();
  bench.group.tick();
  expect(bench.states()).toEqual({ 2: 'healthy' });
});

test('one that drained and comes back is another target', () => {
  const bench = new GroupBench('', [endpoint(1)]);
  const before = bench.target(1);
  bench.source.show(endpoint(1, DRAINING), endpoint(2));
  expect(bench.used()).toEqual([2]);
  bench.source.show(endpoint(1));
  expect(bench.used()).toEqual([1]);
  expect(bench.group.snapshot().pick([])).not.toBe(before);
});

test('an instance with a new address replaces the old one', () => {
  const bench = new GroupBench('', [endpoint(1)]);
  bench.target(1).begin();
  bench.source.show({ ...endpoint(2), id: 'i1/http' });
  expect(bench.used()).toEqual([2]);
  expect(bench.retired).toEqual(['i1/http']);
  expect(bench.states()).toEqual({ 1: 'draining', 2: 'healthy' });
});

const CHECKED = ', healthCheck: { healthyThreshold: 2, unhealthyThreshold: 2 }';

test('an unchecked target is used; failing checks take it out, good ones back in', async () => {
  const bench = new GroupBench(CHECKED, [endpoint(1), endpoint(2)]);
  expect(bench.states()).toEqual({ 1: 'initial', 2: 'initial' });
  expect(bench.used()).toEqual([1, 2]);
  bench.failing.add(1);
  await bench.round(0);
  expect(bench.states()).toEqual({ 1: 'initial', 2: 'healthy' });
  await bench.round();
  expect(bench.states()).toEqual({ 1: 'unhealthy', 2: 'healthy' });
  expect(bench.target(1).standing.reason).toBe('health check: checked 1');
  expect(bench.target(1).standing.since).toEqual(new Date(bench.clock.wallMs()));
  expect(bench.used()).toEqual([2]);
  bench.failing.clear();
  await bench.round();
  expect(bench.used()).toEqual([2]);
  await bench.round();
  expect(bench.used()).toEqual([1, 2]);
});

test('when every target fails its checks all are used, and it shows', async () => {
  const bench = new GroupBench(CHECKED, [endpoint(1), endpoint(2)]);
  for (const port of [1, 2]) bench.failing.add(port);
  await bench.round(0);
  await bench.round();
  expect(bench.group.isFailOpen).toBe(true);
  expect(bench.used()).toEqual([1, 2]);
  expect(bench.target(1).standing.reason).toContain('used anyway');
  bench.failing.delete(2);
  await bench.round();
  await bench.round();
  expect(bench.group.isFailOpen).toBe(false);
  expect(bench.used()).toEqual([2]);
});

test('below a share of healthy targets all are used, from it on only the healthy ones', async () => {
  const four = [1, 2, 3, 4].map((port) => endpoint(port));
  const bench = new GroupBench(`${CHECKED}, failOpenBelow: 0.5`, four);
  for (const port of [1, 2]) bench.failing.add(port);
  await bench.round(0);
  await bench.round();
  expect(bench.group.isFailOpen).toBe(false);
  expect(bench.used()).toEqual([3, 4]);
  bench.failing.add(3);
  await bench.round();
  await bench.round();
  expect(bench.group.isFailOpen).toBe(true);
  expect(bench.used()).toEqual([1, 2, 3, 4]);
  expect(bench.target(3).standing).toMatchObject({
    state: 'unhealthy',
    reason: expect.stringContaining('used anyway, because too few targets are healthy'),
  });
  bench.configure(CHECKED);
  expect(bench.used()).toEqual([4]);
});

test('healthy tier 1 is used before unhealthy tier 0', async () => {
  const bench = new GroupBench(CHECKED, [endpoint(1), endpoint(2, { tier: 1, state: 'suspect' })]);
  bench.failing.add(1);
  await bench.round(0);
  await bench.round();
  expect(bench.used()).toEqual([2]);
});

test('a target that left is not checked any more', async () => {
  const bench = new GroupBench(CHECKED, [endpoint(1)]);
  await bench.round(0);
  bench.source.show();
  const { checks } = bench;
  await bench.round();
  expect(bench.checks).toBe(checks);
});

test('a failed connect ejects a target for a while', () => {
  const bench = new GroupBench('', [endpoint(1), endpoint(2)]);
  bench.group.onFailed(bench.target(1), true);
  expect(bench.states()).toEqual({ 1: 'ejected', 2: 'healthy' });
  expect(bench.used()).toEqual([2]);
  bench.clock.advance(999);
  bench.group.tick();
  expect(bench.used()).toEqual([2]);
  bench.clock.advance(1);
  bench.group.tick();
  expect(bench.used()).toEqual([1, 2]);
});

test('lost answers eject only in a row', () => {
  const bench = new GroupBench(', ejection: { failuresInARow: 2 }', [endpoint(1), endpoint(2)]);
  bench.group.onFailed(bench.target(1), false);
  bench.group.onAnswered(bench.target(1), 404);
  bench.group.onFailed(bench.target(1), false);
  expect(bench.used()).toEqual([1, 2]);
  bench.group.onFailed(bench.target(1), false);
  expect(bench.used()).toEqual([2]);
});

test('answers of 5xx count as failed, unless told otherwise', () => {
  const endpoints = [endpoint(1), endpoint(2)];
  for (const [options, used] of [
    ['', [2]],
    [', ejection: { serverErrors: false }', [1, 2]],
  ] as const) {
    const bench = new GroupBench(options, endpoints);
    for (let i = 0; i < 4; i++) bench.group.onAnswered(bench.target(1), 503);
    expect(bench.used()).toEqual([1, 2]);
    bench.group.onAnswered(bench.target(1), 500);
    expect(bench.used()).toEqual(used);
  }
});

test('when all drain they are used until somebody else is there', () => {
  const bench = new GroupBench('', [endpoint(1), endpoint(2)]);
  bench.source.show(endpoint(1, DRAINING), endpoint(2));
  expect(bench.used()).toEqual([2]);
  bench.source.show(endpoint(1, DRAINING), endpoint(2, DRAINING));
  expect(bench.used()).toEqual([1, 2]);
  expect(bench.target(2).standing).toMatchObject({
    state: 'draining',
    reason: expect.stringContaining('used anyway'),
  });
  expect(bench.retired).toEqual(['i1/http']);
  bench.source.show(endpoint(1, DRAINING), endpoint(2, DRAINING), endpoint(3));
  expect(bench.used()).toEqual([3]);
  expect(bench.retired).toEqual(['i1/http', 'i2/http']);
});

test('a target already tried is not picked again', () => {
  const bench = new GroupBench('', [endpoint(1), endpoint(2)]);
  const snapshot = bench.group.snapshot();
  const first = snapshot.pick([])!;
  const second = snapshot.pick([first])!;
  expect(second).not.toBe(first);
  expect(snapshot.pick([first, second])).toBeUndefined();
});

test('least-outstanding sees what is under way', () => {
  const bench = new GroupBench(', policy: least-outstanding', [endpoint(1), endpoint(2)]);
  for (let i = 0; i < 3; i++) bench.target(1).begin();
  expect(bench.used(4)).toEqual([2]);
});

test('health checks that change nothing keep whose turn it is', async () => {
  const bench = new GroupBench(', healthCheck: { intervalMs: 1000 }', [
    endpoint(1),
    endpoint(2),
    endpoint(3),
  ]);
  const turns: (number | undefined)[] = [];
  for (let i = 0; i < 12; i++) {
    turns.push(bench.group.snapshot().pick([])?.port);
    await bench.round(700);
  }
  expect(bench.checks).toBeGreaterThan(6);
  for (let i = 3; i < turns.length; i++) expect(turns[i]).toBe(turns[i - 3]);
  expect(new Set(turns).size).toBe(3);
});

test('checks that this machine could not make say nothing of targets', async () => {
  const bench = new GroupBench(CHECKED, [endpoint(1), endpoint(2)]);
  await bench.round();
  bench.isShort = true;
  for (let i = 0; i < 5; i++) await bench.round();
  expect(bench.states()).toEqual({ 1: 'healthy', 2: 'healthy' });
});

test('a new target starts slowly, and its reason says how far it is', () => {
  const bench = new GroupBench(', slowStartMs: 9000', [endpoint(1)]);
  bench.source.show(endpoint(1), endpoint(2));
  const countOf = (port: number) => {
    const ports = Array.from({ length: 110 }, () => bench.group.snapshot().pick([])!.port);
    return ports.filter((one) => one === port).length;
  };
  expect(countOf(2)).toBe(10);
  expect(bench.target(2).standing).toMatchObject({
    state: 'healthy',
    reason: 'the instance is up; slow start: 10 % of its weight',
  });
  bench.clock.advance(4_000);
  bench.group.tick();
  expect(bench.target(2).standing.reason).toContain('50 %');
  bench.clock.advance(5_000);
  bench.group.tick();
  expect(countOf(2)).toBe(55);
  expect(bench.target(2).standing.reason).toBe('the instance is up');
});

test('a target that fails more often than the others is ejected, though never in a row', () => {
  const five = [1, 2, 3, 4, 5].map((port) => endpoint(port));
  const setting = ', ejection: { successRate: { minRequests: 20, windowMs: 5000 } }';
  for (const [settings, state] of [
    [setting, 'ejected'],
    ['', 'healthy'],
  ] as const) {
    const bench = new GroupBench(settings, five);
    for (let i = 0; i < 100; i++) {
      for (const { port } of five)
        bench.group.onAnswered(bench.target(port), port === 1 && i % 4 === 0 ? 503 : 200);
    }
    bench.clock.advance(5_000);
    bench.group.tick();
    expect(bench.states()).toEqual({
      1: state,
      2: 'healthy',
      3: 'healthy',
      4: 'healthy',
      5: 'healthy',
    });
  }
});

const inZone = (port: number, zone: string) => endpoint(port, { zone });

test('targets of the own zone come first, until too few of them are healthy', async () => {
  const all = [inZone(1, 'a'), inZone(2, 'a'), inZone(3, 'a'), inZone(4, 'b'), inZone(5, '')];
  const settings = `${CHECKED}, preferZone: true, zoneSpillBelow: 0.5`;
  const bench = new GroupBench(settings, all, 'zone: a');
  await bench.round(0);
  expect(bench.used()).toEqual([1, 2, 3]);
  expect(bench.target(4).standing).toMatchObject({
    state: 'healthy',
    reason: expect.stringContaining('in another zone'),
  });
  bench.failing.add(1);
  await bench.round();
  await bench.round();
  expect(bench.used()).toEqual([2, 3]);
  bench.failing.add(2);
  await bench.round();
  await bench.round();
  expect(bench.used()).toEqual([3, 4, 5]);
  expect(bench.target(4).standing.reason).not.toContain('in another zone');
  bench.failing.clear();
  await bench.round();
  await bench.round();
  expect(bench.used()).toEqual([1, 2, 3]);
  bench.configure(CHECKED);
  expect(bench.used()).toEqual([1, 2, 3, 4, 5]);
});

test('other zones are used for a retry, for what is too much, and when the own one has nobody', () => {
  const settings = ', preferZone: true, maxRequestsPerTarget: 1';
  const bench = new GroupBench(settings, [inZone(1, 'a'), inZone(2, 'b')], 'zone: a');
  expect(bench.used()).toEqual([1]);
  expect(bench.group.snapshot().pick([bench.target(1)])?.port).toBe(2);
  bench.target(1).begin();
  expect(bench.used()).toEqual([2]);
  bench.target(1).end();
  bench.source.show(inZone(2, 'b'));
  expect(bench.used()).toEqual([2]);
});
