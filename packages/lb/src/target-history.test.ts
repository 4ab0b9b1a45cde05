import { startNode } from '@rollcall/testkit';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { endpoint, FakeSource } from './testing/fake-source.ts';
import { FileBench, startTarget } from './testing/file-bench.ts';

const MAIN = new URL('main.ts', import.meta.url).pathname;
const WAIT = { timeout: 60_000 };
const listeners = '[{ name: web, port: 0, default: { targetGroup: hello } }]';
const group = (settings = '') => `{ hello: { service: hello ${settings} } }`;

interface Change {
  readonly at: string;
  readonly event: string;
  readonly reason: string;
  readonly worker?: number;
}

async function changesOf(
  bench: FileBench,
  target: string,
  query = 'group=hello',
): Promise<Change[]> {
  const reply = await fetch(`${bench.admin}/targets/history?${query}`);
  const { targetGroups } = (await reply.json()) as {
    targetGroups: { name: string; targets: { id: string; changes: Change[] }[] }[];
  };
  return targetGroups[0]?.targets.find(({ id }) => id === target)?.changes ?? [];
}

const eventsOf = async (bench: FileBench, target: string) =>
  (await changesOf(bench, target)).map(({ event }) => event);

test('a target from its beginning to its end', async () => {
  const state = { isGood: true };
  const [good, other] = await Promise.all([
    startTarget((_request, response) => void response.writeHead(state.isGood ? 200 : 500).end()),
    startTarget('ok'),
  ]);
  const id = `i${good}/http`;
  const source = new FakeSource([endpoint(good), endpoint(other)]);
  const check =
    ', healthCheck: { path: /healthz, intervalMs: 50, healthyThreshold: 1, unhealthyThreshold: 1 }';
  const parts = { listeners, targetGroups: group(check) };
  const bench = await FileBench.start(parts, { openSource: () => source });
  await expect.poll(() => eventsOf(bench, id), WAIT).toEqual(['added', 'initial', 'healthy']);
  state.isGood = false;
  await expect.poll(() => eventsOf(bench, id), WAIT).toContain('unhealthy');
  const unhealthy = (await changesOf(bench, id)).at(-1)!;
  expect(unhealthy.reason).toBe('health check: GET /healthz answered 500, expected 200-299');
  expect(Date.now() - Date.parse(unhealthy.at)).toBeLessThan(60_000);
  state.isGood = true;
  await expect.poll(async () => (await eventsOf(bench, id)).at(-1), WAIT).toBe('healthy');
  expect(
    await bench.apply({ ...parts, targetGroups: group(`${check}, policy: p2c`) }),
  ).toMatchObject({ result: 'applied' });
  source.show(endpoint(other));
  await expect
    .poll(async () => (await eventsOf(bench, id)).slice(-3), WAIT)
    .toEqual(['healthy', 'draining', 'removed']);
  expect((await changesOf(bench, id))[0]).toMatchObject({ reason: `at 127.0.0.1:${good}` });
  expect(await changesOf(bench, id, `group=hello&target=i${good}`)).not.toEqual([]);
  expect(await changesOf(bench, id, `group=hello&target=i${other}`)).toEqual([]);
  expect(await changesOf(bench, id, 'group=other')).toEqual([]);
  const child = startNode(MAIN, ['--history', `hello/i${good}`, '--admin', bench.admin]);
  onTestFinished(async () => void (await child.stop('SIGKILL')));
  if (!child.hasExited) await once(child.child, 'close');
  expect(child.output).toMatch(
    /^TIME +TARGET +EVENT +REASON\n[^]* removed +its last request has ended\n$/,
  );
  expect(child.output).not.toContain(`i${other}`);
});

test.each(['', 'workers: 2'])('a target that is ejected, and used again: %s', async (more) => {
  const bad = await startTarget((_request, response) => void response.writeHead(500).end());
  const good = await startTarget('ok');
  const source = new FakeSource([endpoint(bad), endpoint(good)]);
  const targetGroups = group(', ejection: { failuresInARow: 2, baseMs: 300 }');
  const bench = await FileBench.start(
    { listeners, targetGroups, more },
    { openSource: () => source },
  );
  const ask = async () => {
    await fetch(bench.url(), { headers: { connection: 'close' } });
    return changesOf(bench, `i${bad}/http`);
  };
  const isSeen = (changes: readonly Change[]) =>
    changes.some(({ event }, at) => event === 'ejected' && changes[at + 1]?.event === 'healthy');
  await expect.poll(async () => isSeen(await ask()), WAIT).toBe(true);
  const ejected = (await ask()).find(({ event }) => event === 'ejected')!;
  expect(ejected.reason).toContain('attempts on it failed');
  if (more === '') expect(ejected).not.toHaveProperty('worker');
  else expect([1, 2]).toContain(ejected.worker);
});
