import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@rollcall/testkit';
import fastify, { type FastifyInstance } from 'fastify';
import fastify4 from 'fastify-4';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Rollcall } from '../rollcall.ts';
import { frameworkCases, InstanceScene, PlayedSignals } from '../testing/framework-cases.ts';
import { rollcallPlugin } from './fastify.ts';

const VERSIONS: Readonly<Record<string, () => FastifyInstance>> = {
  'fastify 5': fastify,
  'fastify 4': fastify4 as unknown as typeof fastify,
};

for (const [name, create] of Object.entries(VERSIONS)) {
  frameworkCases(name, async (rollcall, options) => {
    const app = create();
    app.all('/', async () => {
      await sleep(2);
      return name;
    });
    await app.register(rollcallPlugin, { rollcall, ...options });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  });
}

describe('the plugin', () => {
  let scene: InstanceScene;
  beforeEach(async () => {
    scene = await InstanceScene.start();
  });
  afterEach(() => scene.close());

  test('gives app.rollcall to plugins, and closes only a client of its own', async () => {
    const app = fastify();
    await app.register(rollcallPlugin, { rollcall: { url: scene.url }, service: 'shop' });
    await scene.other();
    await app.register(async (inner) => {
      inner.get('/inner', async () => {
        const orders = inner.rollcall.service('orders');
        await orders.ready();
        return (await orders.request('/')).body.text();
      });
    });
    expect((await app.inject('/inner')).payload).toBe('other');
    const { rollcall } = app;
    await app.close();
    expect(() => rollcall.service('orders')).toThrow('the client was closed');
    const given = scene.client();
    const second = fastify();
    await second.register(rollcallPlugin, { rollcall: given, service: 'shop' });
    await second.ready();
    await second.close();
    expect(given.service('orders').name).toBe('orders');
  });

  test('at a signal it drains, then closes the application, then ends the process', async () => {
    const signals = new PlayedSignals();
    const order: string[] = [];
    const app = fastify();
    app.addHook('onClose', async () => void order.push('onClose'));
    await app.register(rollcallPlugin, {
      rollcall: scene.client(signals),
      service: 'orders',
      onRegistered: (registration) => {
        order.push('registered');
        registration.on('released', () => void order.push('released'));
      },
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    await until(() => order.includes('registered'));
    signals.emit('SIGTERM');
    await until(() => signals.raised.length > 0);
    expect(order).toEqual(['registered', 'released', 'onClose']);
    expect(signals.raised).toEqual(['SIGTERM']);
  });

  test('an application that listens to the signal itself ends the process itself', async () => {
    const signals = new PlayedSignals();
    const app = fastify();
    const ended = Promise.withResolvers<void>();
    signals.on('SIGTERM', () => void app.close().then(() => ended.resolve()));
    await app.register(rollcallPlugin, { rollcall: scene.client(signals), service: 'orders' });
    await app.listen({ port: 0, host: '127.0.0.1' });
    await until(async () => Object.keys(await scene.roll()).length > 0);
    signals.emit('SIGTERM');
    await ended.promise;
    expect(await scene.roll()).toEqual({});
    await until(() => signals.listenerCount('SIGTERM') === 1);
    expect(signals.raised).toEqual([]);
  });

  test('serves, and closes, while no registry answers', async () => {
    const app = fastify();
    const rollcall = scene.client(new PlayedSignals(), 'http://127.0.0.1:1');
    await app.register(rollcallPlugin, { rollcall, service: 'orders' });
    app.get('/', async () => 'here');
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    expect(await (await fetch(address)).text()).toBe('here');
    await app.close();
  });

  test('a refusal of the registry is logged', async () => {
    const lines: string[] = [];
    const app = fastify({ logger: { stream: { write: (line) => void lines.push(line) } } });
    const rollcall = await scene.refusing();
    await app.register(rollcallPlugin, { rollcall, service: 'orders' });
    await app.listen({ port: 0, host: '127.0.0.1' });
    await until(() => lines.some((line) => line.includes('Rollcall: the instance failed')));
    await app.close();
  });

  test('a wrong client is named', async () => {
    const register = (rollcall: unknown) =>
      fastify().register(rollcallPlugin, { rollcall: rollcall as Rollcall, service: 'a' });
    await expect(register(undefined)).rejects.toThrow(/^option rollcall: expected a client/);
    await expect(register({ register() {} })).rejects.toThrow(/of the same copy/);
    await expect(register({ urls: 'x' })).rejects.toThrow(/^option url: /);
  });
});
