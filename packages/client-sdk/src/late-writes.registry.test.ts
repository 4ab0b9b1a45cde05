import { startTestServer } from '@rollcall/registry-server/testing';
import { until } from '@rollcall/testkit';
import { request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HoldingProxy } from './testing/holding-proxy.ts';
import { Rollcall } from './rollcall.ts';

let server: Awaited<ReturnType<typeof startTestServer>>;
let proxy: HoldingProxy;
let rollcall: Rollcall;

// One registry, reached by a way that holds back what is sent over it, and by a straight one.
beforeEach(async () => {
  server = await startTestServer();
  proxy = await HoldingProxy.start(Number(new URL(server.url).port));
  const runtime = { random: () => 0 };
  rollcall = new Rollcall({ url: [proxy.url, server.url], requestTimeoutMs: 300, runtime });
});
afterEach(async () => {
  await rollcall.close();
  proxy.close();
  await server.close();
});

const path = '/v1/namespaces/default/services/orders';
async function rollOf(): Promise<string[]> {
  const { body } = await request(`${server.url}${path}`);
  const { roll = [] } = (await body.json()) as { roll?: { id: string; state: string }[] };
  return roll.map(({ id, state }) => `${id} ${state}`);
}

test('G8: a registration that arrives after the instance began to drain does not bring it back up', async () => {
  const registration = await rollcall.register({ service: 'orders', id: 'a', port: 1 });
  expect(proxy.held).toMatch(/^PUT /);
  await registration.setStatus('draining');
  expect(await rollOf()).toEqual(['a draining']);
  expect(await proxy.deliver()).toMatch(/^HTTP\/1.1 200 /);
  expect(await rollOf()).toEqual(['a draining']);
});

test('G5: nor one that arrives after it left', async () => {
  const registration = await rollcall.register({ service: 'orders', id: 'a', port: 1 });
  await registration.deregister();
  await rollcall.close();
  expect(await proxy.deliver()).toMatch(/^HTTP\/1.1 409 .*registration_late/s);
  expect(await rollOf()).toEqual([]);
});

test('G5: nor one that was given up before anybody answered', async () => {
  const far = new Rollcall({ url: proxy.url, requestTimeoutMs: 300 });
  const stop = new AbortController();
  const pending = far.register({ service: 'orders', id: 'a', port: 1, signal: stop.signal });
  await until(() => proxy.held.startsWith('PUT '));
  stop.abort(new Error('enough'));
  await expect(pending).rejects.toThrow('enough');
  proxy.letThrough();
  await far.close();
  expect(await proxy.deliver()).toMatch(/^HTTP\/1.1 (409|200) /);
  expect(await rollOf()).toEqual([]);
});

test('a change that arrives after a later one changes nothing', async () => {
  proxy.letThrough();
  const registration = await rollcall.register({ service: 'orders', id: 'a', port: 1 });
  await proxy.holdBack(/^PATCH /);
  await registration.setStatus('down');
  await registration.setStatus('up');
  expect(proxy.held).toMatch(/^PATCH /);
  expect(await proxy.deliver()).toMatch(/^HTTP\/1.1 200 /);
  expect(await rollOf()).toEqual(['a up']);
});
