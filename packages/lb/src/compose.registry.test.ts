import { fileURLToPath } from 'node:url';
import { LATENCY_BOUNDS_MS } from '@rollcall/client-sdk';
import { type TestProcess, freePort, startNode } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { type LoadBalancer, startLoadBalancer } from './compose.ts';
import { parseConfig } from './config/config-file.ts';
import { Load } from './testing/load.ts';

const INSTANCE = new URL('testing/instance-process.ts', import.meta.url).pathname;
const REGISTRY = fileURLToPath(
  new URL('main.ts', import.meta.resolve('@rollcall/registry-server')),
);

async function startRegistry(port: number): Promise<TestProcess> {
  const registry = startNode(REGISTRY, ['--port', String(port), '--store', 'memory']);
  onTestFinished(() => void registry.stop('SIGKILL'));
  await expect
    .poll(() => fetch(`http://127.0.0.1:${port}/readyz`).then(({ status }) => status, String), {
      timeout: 30_000,
    })
    .toBe(200);
  return registry;
}

async function startInstance(port: number): Promise<TestProcess> {
  const env = { REGISTRY_URL: `http://127.0.0.1:${port}` };
  const instance = startNode(INSTANCE, [], { env });
  onTestFinished(() => void instance.stop('SIGKILL'));
  await instance.printed(/registered/);
  return instance;
}

async function startBalancer(port: number): Promise<LoadBalancer> {
  const text = `registry: { url: "http://127.0.0.1:${port}" }
listeners: [{ name: web, port: 0, default: { targetGroup: hello } }]
admin: { port: 0 }
accessLog: off
targetGroups: { hello: { service: hello } }`;
  const config = parseConfig(text, 'lb.yaml', {});
  const balancer = await startLoadBalancer(config, { log: () => {} });
  onTestFinished(() => balancer.close());
  return balancer;
}

const seenPids = (load: Load) =>
  new Set(load.bodies.map((body) => Number(/pid=(\d+)/.exec(body)?.[1])));

test('instances come, die and go, the registry dies and returns: no request fails', async () => {
  const port = await freePort();
  let registry = await startRegistry(port);
  const balancer = await startBalancer(port);
  const web = balancer.addresses.listeners['web']!;
  expect((await fetch(web)).status).toBe(503);

  const instances = await Promise.all([startInstance(port), startInstance(port)]);
  await expect.poll(() => fetch(web).then(({ status }) => status), { timeout: 30_000 }).toBe(200);
  const load = new Load(`${web}/?delay=1`, { clients: 6 });
  const pids = () => [...seenPids(load)].toSorted((a, b) => a - b);
  const sorted = (...processes: TestProcess[]) =>
    processes.map(({ pid }) => pid).toSorted((a, b) => a - b);
  await expect.poll(pids, { timeout: 30_000 }).toEqual(sorted(...instances));

  // A new one takes requests within a second of being on the roll.
  const third = await startInstance(port);
  await expect.poll(pids, { timeout: 1_000 }).toEqual(sorted(...instances, third));

  // A killed one is not picked any more a quarter of a second later.
  const killed = instances[0];
  const inTier0 = () => balancer.groups[0]!.targets().filter(({ tier }) => tier === 0).length;
  killed.child.kill('SIGKILL');
  await expect.poll(pids, { timeout: 2_000 }).toEqual(sorted(instances[1], third));

  // The registry dies: the balancer goes on with what it knows, and says how old that is.
  registry.child.kill('SIGKILL');
  await expect
    .poll(() => balancer.groups[0]!.pictureAgeMs, { timeout: 5_000 })
    .toBeGreaterThan(700);
  const during = load.answered;
  await expect.poll(() => load.answered, { timeout: 30_000 }).toBeGreaterThan(during + 200);
  registry = await startRegistry(port);
  await expect.poll(() => balancer.groups[0]!.pictureAgeMs, { timeout: 30_000 }).toBeLessThan(700);
  // Who is not back is kept for a while, but only as a last resort.
  await expect.poll(inTier0, { timeout: 30_000 }).toBe(2);

  // One that is told to stop drains first.
  await instances[1].stop('SIGTERM');
  await expect.poll(pids, { timeout: 30_000 }).toEqual([third.pid]);
  await load.stop();
  expect(load.others).toBe('');
  expect(registry.hasExited).toBe(false);
}, 180_000);

test('the registry is told how many requests each target got, and how long they took', async () => {
  const port = await freePort();
  await startRegistry(port);
  const balancer = await startBalancer(port);
  await startInstance(port);
  const web = `${balancer.addresses.listeners['web']!}/?delay=30`;
  await expect.poll(() => fetch(web).then(({ status }) => status), { timeout: 30_000 }).toBe(200);
  const load = new Load(web, { clients: 3 });
  const told = async () => {
    const reply = await fetch(`http://127.0.0.1:${port}/v1/namespaces/default/traffic`);
    const { endpoints } = (await reply.json()) as {
      endpoints: { service: string; callsPerSecond: number; latencies: number[] }[];
    };
    return endpoints.find(({ service }) => service === 'hello');
  };
  await expect.poll(told, { timeout: 20_000 }).toMatchObject({
    callers: 1,
    failuresPerSecond: 0,
  });
  const { latencies = [], callsPerSecond = 0 } = (await told()) ?? {};
  // Three clients, each of which waits for 30 ms: never more than 100 a second.
  expect(callsPerSecond).toBeGreaterThan(0);
  expect(callsPerSecond).toBeLessThan(101);
  // For the same reason nothing is in the buckets up to 25 ms.
  const quick = LATENCY_BOUNDS_MS.filter((boundMs) => boundMs <= 25).length;
  expect(latencies.slice(0, quick)).toEqual(Array.from({ length: quick }, () => 0));
  expect(latencies.reduce((sum, rate) => sum + rate, 0)).toBeCloseTo(callsPerSecond);
  await load.stop();
});
