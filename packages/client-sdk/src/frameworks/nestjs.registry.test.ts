import { setTimeout as sleep } from 'node:timers/promises';
import { All, Controller, Get, Inject, Injectable, Module } from '@nestjs/common';
import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Rollcall } from '../rollcall.ts';
import { frameworkCases, InstanceScene, PlayedSignals } from '../testing/framework-cases.ts';
import { RollcallModule, type RollcallModuleOptions } from './nestjs.ts';

/** Decorators are called as functions: the tests run without a compiler that knows their syntax. */
function controllerOf(answer: () => Promise<string>): Type {
  class Answering {
    answer(): Promise<string> {
      return answer();
    }
  }
  const method = Object.getOwnPropertyDescriptor(Answering.prototype, 'answer');
  All()(Answering.prototype, 'answer', method!);
  Controller()(Answering);
  return Answering;
}

function moduleOf(metadata: ModuleMetadata): Type {
  class Made {
    readonly metadata = metadata;
  }
  Module(metadata)(Made);
  return Made;
}

const appOf = (options: RollcallModuleOptions, controller: Type): Type =>
  moduleOf({ imports: [RollcallModule.forRoot(options)], controllers: [controller] });

const CREATE: Readonly<Record<string, (app: Type) => Promise<INestApplication>>> = {
  'nestjs on express': (app) => NestFactory.create(app, { logger: false, abortOnError: false }),
  'nestjs on fastify': (app) =>
    NestFactory.create(app, new FastifyAdapter(), { logger: false, abortOnError: false }),
};

for (const [name, create] of Object.entries(CREATE)) {
  frameworkCases(name, async (rollcall, options) => {
    const controller = controllerOf(async () => {
      await sleep(2);
      return name;
    });
    const app = await create(appOf({ rollcall, ...options }, controller));
    await app.listen(0, '127.0.0.1');
    return { port: Number(new URL(await app.getUrl()).port), close: () => app.close() };
  });
}

describe('the module', () => {
  let scene: InstanceScene;
  beforeEach(async () => {
    scene = await InstanceScene.start();
  });
  afterEach(() => scene.close());
  const hello = controllerOf(async () => 'hello');

  test('injects Rollcall, and closes the client that it made', async () => {
    await scene.other();
    class Shop {
      readonly rollcall: Rollcall;
      constructor(rollcall: Rollcall) {
        this.rollcall = rollcall;
      }
      async page(): Promise<string> {
        const orders = this.rollcall.service('orders');
        await orders.ready();
        return (await orders.request('/')).body.text();
      }
    }
    Inject(Rollcall)(Shop, undefined, 0);
    Get()(Shop.prototype, 'page', Object.getOwnPropertyDescriptor(Shop.prototype, 'page')!);
    Controller()(Shop);
    const Feature = moduleOf({ controllers: [Shop] });
    class Settings {
      readonly url = scene.url;
    }
    Injectable()(Settings);
    const SettingsModule = moduleOf({ providers: [Settings], exports: [Settings] });
    const dynamic = RollcallModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: ({ url }: Settings) => ({ rollcall: { url }, service: 'shop' }),
    });
    const App = moduleOf({ imports: [Feature, dynamic] });
    const app = await NestFactory.create(App, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    expect(await (await fetch(await app.getUrl())).text()).toBe('other');
    const rollcall = app.get(Rollcall);
    await app.close();
    expect(() => rollcall.service('orders')).toThrow('the client was closed');
  });

  test('drains before other modules shut down, whichever hook they use', async () => {
    const order: string[] = [];
    class Database {
      onModuleDestroy(): void {
        order.push('database closed');
      }
    }
    Injectable()(Database);
    const DatabaseModule = moduleOf({ providers: [Database] });
    const options: RollcallModuleOptions = {
      rollcall: scene.client(),
      service: 'orders',
      onRegistered: (registration) => {
        order.push('registered');
        registration.on('released', () => void order.push('left'));
      },
    };
    const App = moduleOf({
      imports: [DatabaseModule, RollcallModule.forRoot(options)],
      controllers: [hello],
    });
    const app = await NestFactory.create(App, { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    await until(() => order.includes('registered'));
    await app.close();
    expect(order).toEqual(['registered', 'left', 'database closed']);
  });

  test('a signal ends the process once it is drained, unless Nest does', async () => {
    const signals = new PlayedSignals();
    const app = await NestFactory.create(
      appOf({ rollcall: scene.client(signals), service: 'orders' }, hello),
      { logger: false, abortOnError: false },
    );
    await app.listen(0, '127.0.0.1');
    await until(async () => Object.keys(await scene.roll()).length > 0);
    signals.emit('SIGTERM');
    await until(() => signals.raised.length > 0);
    expect(await scene.roll()).toEqual({});
    await app.close();

    // As after enableShutdownHooks.
    const heeded = new PlayedSignals();
    const second = await NestFactory.create(
      appOf({ rollcall: scene.client(heeded), service: 'orders' }, hello),
      { logger: false, abortOnError: false },
    );
    const closed = Promise.withResolvers<void>();
    heeded.on('SIGTERM', () => void second.close().then(() => closed.resolve()));
    await second.listen(0, '127.0.0.1');
    await until(async () => Object.keys(await scene.roll()).length > 0);
    heeded.emit('SIGTERM');
    await closed.promise;
    expect(await scene.roll()).toEqual({});
    expect(heeded.raised).toEqual([]);
  });

  test('an application without a server gets the client', async () => {
    const options = { rollcall: { url: scene.url }, service: 'orders' };
    const context = await NestFactory.createApplicationContext(appOf(options, hello), {
      logger: false,
      abortOnError: false,
    });
    await scene.other();
    await context.get(Rollcall).service('orders').ready();
    await context.close();
  });

  test('a refusal of the registry is logged', async () => {
    const errors: string[] = [];
    const log = () => {};
    const logger = { log, warn: log, error: (message: string) => void errors.push(message) };
    const refused = await scene.refusing();
    const options = { rollcall: refused, service: 'orders' };
    const app = await NestFactory.create(appOf(options, hello), { logger, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    await until(() => errors.some((text) => text.startsWith('the instance failed: ')));
    await app.close();
  });
});
