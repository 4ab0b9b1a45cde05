import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Koa from 'koa';
import { expect, test } from 'vitest';
import { frameworkCases, InstanceScene } from '../testing/framework-cases.ts';
import { type RollcallContext, rollcallMiddleware, serveInstance } from './koa.ts';

frameworkCases('koa 3', async (rollcall, options) => {
  const app = new Koa();
  app.use(async (ctx) => {
    await sleep(2);
    ctx.body = 'koa 3';
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const instance = await serveInstance(rollcall, server, options);
  return { port, close: () => instance.drain() };
});

test('middleware calls other services by ctx.rollcall', async () => {
  const scene = await InstanceScene.start();
  await scene.other();
  const rollcall = scene.client();
  const app = new Koa<Koa.DefaultState, RollcallContext>();
  app.use(rollcallMiddleware(rollcall));
  app.use(async (ctx) => {
    const orders = ctx.rollcall.service('orders');
    await orders.ready();
    ctx.body = `shop of ${await (await orders.request('/')).body.text()}`;
  });
  const server = app.listen(0, '127.0.0.1');
  const instance = await serveInstance(rollcall, server, { service: 'shop' });
  const { port } = server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('shop of other');
  await instance.drain();
  await scene.close();
});
