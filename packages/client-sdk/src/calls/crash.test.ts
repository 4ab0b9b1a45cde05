import { afterEach, expect, test, vi } from 'vitest';
import { RollcallError } from '../base/error.ts';
import type { Service } from '../api/service.ts';
import { BackendProcess } from '../testing/backends.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';

const context = new TestContext();
afterEach(() => context.end());
const until = (condition: () => unknown, timeout = 30_000) =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout, interval: 2 });

/** Three instances in processes of their own, on a roll that never learns of their death. */
async function threeInstances(): Promise<{ backends: BackendProcess[]; service: Service }> {
  const backends = await Promise.all([1, 2, 3].map(() => BackendProcess.start()));
  for (const backend of backends) context.onEnd(() => backend.kill());
  const registry = await context.registry();
  registry.roll.set(
    'orders',
    backends.map(({ port }) => endpointAt(port)),
  );
  const service = context.client(registry).service('orders');
  await service.ready({ endpoints: 0 });
  return { backends, service };
}

/** Calls without a pause, `concurrency` at a time, until told to stop. Returns what failed. */
function load(concurrency: number, call: () => Promise<unknown>) {
  const failures: unknown[] = [];
  const stopping = new AbortController();
  let answered = 0;
  const runs = Array.from({ length: concurrency }, async () => {
    while (!stopping.signal.aborted) {
      await call().then(
        () => answered++,
        (error: unknown) => failures.push(error),
      );
    }
  });
  const stop = async () => {
    stopping.abort();
    await Promise.all(runs);
    return failures;
  };
  return { answered: () => answered, stop };
}

test(
  'two of three instances are killed under GET load: no request fails',
  { timeout: 30_000 },
  async () => {
    const { backends, service } = await threeInstances();
    const get = async () => (await service.request('/?delay=3')).body.text();
    const running = load(40, get);
    await until(() => running.answered() > 300);
    await backends[0]!.kill();
    const afterFirst = running.answered();
    await until(() => running.answered() > afterFirst + 500);
    await backends[1]!.kill();
    const afterSecond = running.answered();
    await until(() => running.answered() > afterSecond + 500);
    expect(await running.stop()).toEqual([]);
    const { retries, ejections, inFlight } = service.stats();
    expect(retries).toBeGreaterThan(0);
    expect(ejections).toBeGreaterThanOrEqual(2);
    expect(inFlight).toBe(0);
  },
);

test(
  'an instance is killed under POST load: those under way fail once, none is repeated',
  { timeout: 30_000 },
  async () => {
    const { backends, service } = await threeInstances();
    let sent = 0;
    const failed = new Map<string, unknown>();
    const post = async () => {
      const key = `k${sent++}`;
      try {
        await (await service.request('/?delay=20', { method: 'POST', body: key })).body.text();
      } catch (error) {
        failed.set(key, error);
      }
    };
    const running = load(30, post);
    await until(() => backends[0]!.posts.length > 20);
    await backends[0]!.kill();
    const afterKill = running.answered();
    await until(() => running.answered() > afterKill + 200);
    await running.stop();
    const seen = backends.flatMap(({ posts }) => posts);
    expect(new Set(seen).size).toBe(seen.length);
    expect(failed.size).toBeGreaterThan(0);
    for (const error of failed.values()) {
      expect(error).toBeInstanceOf(RollcallError);
      expect(error).toMatchObject({ code: 'response_lost', mayHaveBeenProcessed: true });
    }
    const elsewhere = new Set([...backends[1]!.posts, ...backends[2]!.posts]);
    expect([...failed.keys()].filter((key) => elsewhere.has(key))).toEqual([]);
    expect(seen.length + failed.size).toBeGreaterThanOrEqual(sent);
  },
);
