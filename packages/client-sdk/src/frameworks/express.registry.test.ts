import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
// @ts-expect-error: its types would be those of another version of @types/express
import express4 from 'express-4';
import { expect, test } from 'vitest';
import type { Rollcall } from '../rollcall.ts';
import { frameworkCases, InstanceScene } from '../testing/framework-cases.ts';
import { rollcallMiddleware, serveInstance } from './express.ts';

const VERSIONS: Readonly<Record<string, () => Express>> = {
  'express 5': express,
  'express 4': express4 as typeof express,
};

for (const [name, create] of Object.entries(VERSIONS)) {
  frameworkCases(name, async (rollcall, options) => {
    const app = create();
    app.all('/', (_request, response) => void setTimeout(() => response.send(name), 2));
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const instance = await serveInstance(rollcall, server, options);
    return { port, close: () => instance.drain() };
  });
}

test('handlers call other services by request.rollcall', async () => {
  const scene = await InstanceScene.start();
  await scene.other();
  const rollcall: Rollcall = scene.client();
  const app = express();
  app.use(rollcallMiddleware(rollcall));
  app.get('/', async (request, response) => {
    const orders = request.rollcall.service('orders');
    await orders.ready();
    const reply = await orders.request('/');
    response.send(`shop of ${await reply.body.text()}`);
  });
  const server = app.listen(0, '127.0.0.1');
  const instance = await serveInstance(rollcall, server, { service: 'shop' });
  const { port } = server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('shop of other');
  expect(await instance.drain()).toEqual({ cutOff: 0, isDeregistered: true });
  await scene.close();
});
