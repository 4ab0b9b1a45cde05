import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findRedisBinary, History, RedisProcess, until } from '@rollcall/testkit';
import type { Service } from '@rollcall/client-sdk';
import { Load } from './support/load.ts';
import { p99 } from './support/p99.ts';
import { RawWatcher } from './support/raw-watcher.ts';
import { nameIn, Stack } from './support/stack.ts';

/** How long Redis is away, in ms; longer than the TTL of 10 s. OUTAGE_MS=600000 for the long form, of twice ten minutes. */
const OUTAGE_MS = Number(process.env['OUTAGE_MS'] ?? 11_000);
/** Between two calls of one caller, in ms: a longer look remembers no more of them. */
const PAUSE_MS = Math.max(2, OUTAGE_MS / 5_000);
/** Every third of the TTL of `hello`, and what a busy machine may add, in ms. */
const HEARTBEAT_MS = 10_000 / 3 + 1_000;

const LOAD = { pauseMs: PAUSE_MS };

let stack: Stack;
let agent: Agent;
let loads: Load[];

beforeEach(() => {
  stack = new Stack();
  agent = new Agent({ connections: 16 });
  loads = [];
});
afterEach(async () => {
  await Promise.all(loads.map((load) => load.stop()));
  await agent.close();
  await stack.close();
});

/** Calls through the SDK. */
function throughSdk(service: Service): Load {
  const load = new Load(async () => {
    const { body, statusCode } = await service.request('/');
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${statusCode} ${text}`);
    return nameIn(text);
  }, LOAD);
  loads.push(load);
  return load;
}

/** Calls through the load balancer. */
function throughBalancer(url: string): Load {
  const load = new Load(async () => {
    const { body, statusCode } = await request(url, { dispatcher: agent });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${statusCode} ${text}`);
    return nameIn(text);
  }, LOAD);
  loads.push(load);
  return load;
}

const picturesIn = ({ events }: Pick<History, 'events'>) =>
  events.flatMap((one) => (one.kind === 'seen' ? [one] : []));

/** Remembers the smallest roll that a service ever showed. */
function smallestRoll(service: Service): () => number {
  let smallest = service.endpoints().length;
  service.on('change', () => (smallest = Math.min(smallest, service.endpoints().length)));
  return () => smallest;
}

describe('with a client and a balancer over three instances', () => {
  test('G2: kill -9 of an instance: neither picks it after 250 ms, no request fails; a new one takes traffic within 1 s', async () => {
    const { url } = await stack.registry();
    let names = ['a', 'b', 'c'];
    const instances = new Map(
      await Promise.all(names.map(async (name) => [name, await stack.hello(name, [url])] as const)),
    );
    const balancer = await stack.balancer([url]);
    const service = stack.client([url]).service('hello');
    const both = [throughSdk(service), throughBalancer(balancer.url)] as const;
    await until(() => both.every((load) => load.bySince(0).size === 3));

    const goneAfterMs: number[] = [];
    const takenAfterMs: number[] = [];
    for (let round = 0; round < 8; round++) {
      const victim = names[round % 3] as string;
      const killedAtMs = performance.now();
      instances.get(victim)?.child.kill('SIGKILL');
      // Long enough for a late pick to show: ten times what is promised, in calls answered by the others.
      await until(() =>
        both.every((load) => load.answers.filter(({ atMs }) => atMs > killedAtMs).length > 400),
      );
      for (const load of both) goneAfterMs.push(Math.max(0, load.lastBy(victim) - killedAtMs));
      const successor = `n${round}`;
      instances.set(successor, await stack.hello(successor, [url]));
      const registeredAtMs = performance.now();
      await until(() => both.every((load) => load.lastBy(successor) > 0), { withinMs: 5_000 });
      takenAfterMs.push(performance.now() - registeredAtMs);
      names = names.map((name) => (name === victim ? successor : name));
    }
    await Promise.all(both.map((load) => load.stop()));
    console.log(
      `kill to last answer p99 ${p99(goneAfterMs).toFixed(0)} ms, registered to first answer p99 ${p99(takenAfterMs).toFixed(0)} ms, ` +
        `${both[0].answers.length} + ${both[1].answers.length} calls, ${both[0].failures.length} + ${both[1].failures.length} failed`,
    );
    expect(both.flatMap(({ failures }) => failures)).toEqual([]);
    expect(p99(goneAfterMs)).toBeLessThan(250);
    expect(p99(takenAfterMs)).toBeLessThan(1_000);
  }, 120_000);

  test('G5: kill -9 of the registry and a start from nothing: no request fails, nobody is called dead, all are back within a heartbeat', async () => {
    const registry = await stack.registry();
    const names = ['a', 'b', 'c'];
    await Promise.all(names.map((name) => stack.hello(name, [registry.url])));
    const balancer = await stack.balancer([registry.url]);
    const service = stack.client([registry.url]).service('hello');
    const both = [throughSdk(service), throughBalancer(balancer.url)] as const;
    await until(() => both.every((load) => load.bySince(0).size === 3));
    const smallest = smallestRoll(service);

    await registry.process.stop('SIGKILL');
    const gapAtMs = performance.now();
    await until(() =>
      both.every((load) => load.answers.filter(({ atMs }) => atMs > gapAtMs).length > 500),
    );
    await stack.registry([], registry.port);
    const backAtMs = performance.now();
    const ready = async () => {
      const response = await fetch(`${registry.url}/v1/namespaces/default/services/hello`);
      return response.ok && ((await response.json()) as { ready: number }).ready === 3;
    };
    await until(ready, { withinMs: 4_000 });
    const tookMs = performance.now() - backAtMs;
    const since = performance.now();
    await until(() => both.every((load) => load.bySince(since).size === 3));
    await Promise.all(both.map((load) => load.stop()));
    console.log(`all three back ${tookMs.toFixed(0)} ms after the registry was`);
    expect(both.flatMap(({ failures }) => failures)).toEqual([]);
    expect(smallest()).toBe(3);
    const events = await (await fetch(`${registry.url}/v1/events?service=hello`)).json();
    const kinds = (events as { events: { kind: string }[] }).events.map(({ kind }) => kind);
    expect(kinds).toEqual(['registered', 'registered', 'registered']);
  }, 60_000);

  test('G8: a rolling restart of instances, each leaving politely, fails no request', async () => {
    const { url } = await stack.registry();
    const instances = await Promise.all(['a', 'b', 'c'].map((name) => stack.hello(name, [url])));
    const balancer = await stack.balancer([url]);
    const service = stack.client([url]).service('hello');
    const both = [throughSdk(service), throughBalancer(balancer.url)] as const;
    await until(() => both.every((load) => load.bySince(0).size === 3));
    for (const [i, instance] of instances.entries()) {
      await stack.hello(`next-${i}`, [url]);
      expect(await instance.stop('SIGTERM')).toBe(0);
    }
    const since = performance.now();
    await until(() => both.every((load) => load.bySince(since).size === 3));
    await Promise.all(both.map((load) => load.stop()));
    expect(both.flatMap(({ failures }) => failures)).toEqual([]);
    expect([...both[0].bySince(since)].toSorted()).toEqual(['next-0', 'next-1', 'next-2']);
  }, 60_000);
});

describe('two registry servers on Redis', () => {
  let redis: RedisProcess;
  let watchers: readonly RawWatcher[] = [];

  beforeEach(async () => {
    const binary = await findRedisBinary();
    if (binary === undefined) throw new Error('no redis-server on this machine');
    redis = await RedisProcess.start(binary, { isDurable: true });
  });
  afterEach(async () => {
    await Promise.all(watchers.map((watcher) => watcher.close()));
    await redis.close();
  });

  test(
    'G5, G8: a server killed, then Redis gone for longer than every lease, back with its data, gone again, back without: no request fails, no empty list, the deregistered stay away',
    async () => {
      const flags = ['--store', redis.url];
      const servers = [await stack.registry(flags), await stack.registry(flags)] as const;
      const urls = servers.map(({ url }) => url);
      await Promise.all(['a', 'b', 'c'].map((name) => stack.hello(name, urls)));
      const leaver = await stack.hello('leaver', urls);
      const balancer = await stack.balancer(urls);
      const service = stack.client(urls).service('hello');
      const both = [throughSdk(service), throughBalancer(balancer.url)] as const;
      await until(() => both.every((load) => load.bySince(0).size === 4));
      expect(await leaver.stop('SIGTERM')).toBe(0);
      await until(() => service.endpoints().length === 3);
      const smallest = smallestRoll(service);
      // Without the SDK's grace: what the servers themselves show.
      const history = new History();
      watchers = urls.map(
        (url, i) => new RawWatcher(history, { name: `stream${i}`, service: 'hello', urls: [url] }),
      );
      const serving = async (calls: number) => {
        const since = performance.now();
        await until(
          () =>
            both.every((load) => load.answers.filter(({ atMs }) => atMs > since).length > calls),
          { withinMs: 60_000 },
        );
      };

      await servers[0].process.stop('SIGKILL');
      await serving(500);
      const first = await stack.registry(flags, servers[0].port);

      for (const losesData of [false, true]) {
        await redis.down({ losesData });
        const { url } = first;
        // By the age that the server itself shows.
        await until(
          async () =>
            ((await (await fetch(`${url}/readyz`)).json()) as { storeAgeMs: number }).storeAgeMs >
            OUTAGE_MS,
          { withinMs: OUTAGE_MS + 20_000 },
        );
        await serving(200);
        const before = history.size;
        await redis.up();
        const allUp = () => {
          const shown = picturesIn(history).slice(-1);
          const since = picturesIn({ events: history.events.slice(before) });
          // Neither a store that lost its memory nor one that was away for longer than every
          // lease has anybody in use before it has heard of him.
          const hasDoubted = since.some(({ endpoints }) =>
            endpoints.some(({ tier }) => tier === 1),
          );
          return (
            hasDoubted &&
            shown.every(({ endpoints }) => endpoints.every(({ tier }) => tier === 0)) &&
            service.endpoints().filter(({ state }) => state === 'up').length === 3
          );
        };
        await until(async () => (await fetch(`${url}/readyz?for=writes`)).ok);
        const backMs = performance.now();
        await until(allUp, { withinMs: 15_000, what: 'all three confirmed' });
        const tookMs = performance.now() - backMs;
        console.log(
          `all confirmed ${tookMs.toFixed(0)} ms after Redis was back, data lost: ${losesData}`,
        );
        expect(tookMs).toBeLessThan(HEARTBEAT_MS);
        await serving(500);
      }
      await Promise.all(both.map((load) => load.stop()));
      expect(both.flatMap(({ failures }) => failures)).toEqual([]);
      expect(smallest()).toBe(3);
      const shown = picturesIn(history);
      expect(shown.length).toBeGreaterThanOrEqual(urls.length);
      expect(Math.min(...shown.map(({ endpoints }) => endpoints.length))).toBe(3);
      expect(
        service
          .endpoints()
          .map(({ instance }) => instance)
          .toSorted(),
      ).toEqual(['a', 'b', 'c']);
    },
    180_000 + 2 * OUTAGE_MS,
  );
});
