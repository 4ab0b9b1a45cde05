import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { frameworkCases, InstanceScene } from '../testing/framework-cases.ts';
import { type RollcallEnv, rollcallMiddleware, serveInstance } from './hono.ts';

frameworkCases('hono 4', async (rollcall, options) => {
  const app = new Hono();
  app.all('/', async (c) => {
    await sleep(2);
    return c.text('hono 4');
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const instance = await serveInstance(rollcall, server, options);
  return { port, close: () => instance.drain() };
});

test('handlers call other services by c.var.rollcall', async () => {
  const scene = await InstanceScene.start();
  await scene.other();
  const rollcall = scene.client();
  const app = new Hono<RollcallEnv>();
  app.use(rollcallMiddleware(rollcall));
  app.get('/', async (c) => {
    const orders = c.var.rollcall.service('orders');
    await orders.ready();
    return c.text(`shop of ${await (await orders.request('/')).body.text()}`);
  });
  const reply = await app.request('/');
  expect(await reply.text()).toBe('shop of other');
  await scene.close();
});
