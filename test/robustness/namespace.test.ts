import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '@rollcall/testkit';
import { monotonicMs } from '../support/monotonic.ts';
import { Scene } from '../support/scene.ts';

const TTL_MS = 3_000;
const run = promisify(execFile);
const ip = (...words: string[]) => run('ip', words);

const NAME = `rollcall-${process.pid}`;
const LINK = `rc${process.pid % 1_000_000}`;
const NET = `10.213.${process.pid % 250}`;
const [HERE, THERE] = [`${NET}.1`, `${NET}.2`];

/** Makes another machine, as far as the network goes; why not, where that is not allowed. */
async function makeMachine(): Promise<string | undefined> {
  try {
    await ip('netns', 'add', NAME);
    await ip('link', 'add', LINK, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', NAME);
    await ip('addr', 'add', `${HERE}/30`, 'dev', LINK);
    await ip('link', 'set', LINK, 'up');
    await ip('-n', NAME, 'addr', 'add', `${THERE}/30`, 'dev', 'eth0');
    await ip('-n', NAME, 'link', 'set', 'eth0', 'up');
    await ip('-n', NAME, 'link', 'set', 'lo', 'up');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe('an instance on another machine', () => {
  let scene: Scene;
  let reason: string | undefined;
  beforeAll(async () => {
    reason = await makeMachine();
    scene = new Scene({ ttlMs: TTL_MS });
  });
  afterAll(async () => {
    await scene.close();
    await ip('netns', 'del', NAME).catch(() => {});
    await ip('link', 'del', LINK).catch(() => {});
  });

  test('G2: whose network goes down is gone within its TTL and a second; when it is up again, it is back', async ({
    skip,
  }) => {
    if (reason !== undefined) return skip(`no network namespaces here: ${reason}`);
    const { port } = await scene.stack.registry(
      ['--host', HERE, '--insecure'],
      undefined,
      {},
      HERE,
    );
    const urls = [`http://${HERE}:${port}`];
    const near = { urls, env: { WORKER_HOST: HERE } };
    await scene.actors(['a', 'b'], near);
    const within = ['ip', 'netns', 'exec', NAME];
    const far = await scene.actor('far', { urls, env: { WORKER_HOST: THERE }, within });
    const service = await scene.watch('sdk', urls);
    scene.pick('picker', await scene.watch('picker', urls));
    // Those under way to it when it goes silent wait in vain.
    const calls = scene.call('sdk', service, { concurrency: 24 });
    await calls.answers(100);
    const tell = (what: 'stopped' | 'continued') =>
      scene.history.add({
        kind: 'process',
        service: 'work',
        instance: 'far',
        process: `far-${far.process.pid}`,
        what,
        atMs: monotonicMs(),
      });
    tell('stopped');
    const downMs = monotonicMs();
    await ip('link', 'set', LINK, 'down');
    await until(() => service.endpoints().length === 2, { withinMs: TTL_MS + 2_000 });
    const goneMs = monotonicMs() - downMs;
    await calls.answers(100);
    await ip('link', 'set', LINK, 'up');
    await ip('addr', 'replace', `${HERE}/30`, 'dev', LINK);
    tell('continued');
    await scene.inUse(service, ['a', 'b', 'far']);
    const { figures } = await scene.verdict(`a silent machine, gone after ${goneMs.toFixed(0)} ms`);
    expect(goneMs).toBeLessThan(TTL_MS + 1_000);
    expect(figures.falseEvictions).toBe(0);
    expect(figures.requestsFailed).toBe(0);
    return undefined;
  }, 60_000);
});
