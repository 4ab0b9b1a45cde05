import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { expect, onTestFinished, test } from 'vitest';
import { FileBench, startTarget } from '../testing/file-bench.ts';

const WAIT = { timeout: 30_000 };
const LISTENERS = '[{ name: web, port: 0, default: { targetGroup: hello } }]';
const GROUPS = '{ hello: { service: hello } }';

async function startRegistry(answer?: string) {
  const registry = await startTestServer();
  onTestFinished(() => registry.close());
  if (answer !== undefined) {
    const rollcall = new Rollcall({ url: registry.url });
    onTestFinished(() => rollcall.close());
    const port = await startTarget(answer);
    await rollcall.register({ service: 'hello', port, address: '127.0.0.1', signals: false });
  }
  return registry;
}

const at = (url: string) => ({
  listeners: LISTENERS,
  targetGroups: GROUPS,
  more: `registry: { url: "${url}" }`,
});

test('another registry takes over; until it answers, the last targets are used', async () => {
  const [first, second] = [await startRegistry('first'), await startRegistry('second')];
  const bench = await FileBench.start(at(first.url));
  const ask = async () => (await fetch(bench.url())).text();
  expect(await ask()).toBe('first');
  const group = bench.balancer.groups[0];
  expect(await bench.apply(at('http://127.0.0.1:1'))).toEqual({
    result: 'applied',
    changes: ['registry changed'],
  });
  expect(await ask()).toBe('first');
  await expect.poll(() => bench.readyz(), WAIT).toMatchObject({ status: 'degraded' });
  expect(bench.balancer.groups[0]!.pictureAgeMs).toBeGreaterThan(0);
  await bench.apply(at(second.url));
  await expect.poll(ask, WAIT).toBe('second');
  await expect.poll(() => bench.readyz(), WAIT).toMatchObject({ status: 'ready' });
  expect(bench.balancer.groups[0]).toBe(group);
  expect(bench.balancer.groups[0]!.pictureAgeMs).toBeLessThan(30_000);
});

test('a group that comes with the other registry has its targets from there at once', async () => {
  const [first, second] = [await startRegistry(), await startRegistry('second')];
  const bench = await FileBench.start({
    ...at(first.url),
    targetGroups: '{ x: { service: x } }',
    listeners: '[{ name: web, port: 0 }]',
  });
  await bench.apply(at(second.url));
  expect(await (await fetch(bench.url())).text()).toBe('second');
});
