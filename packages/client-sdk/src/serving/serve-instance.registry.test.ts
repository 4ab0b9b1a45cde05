import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RegistrationClient } from '../client/registration-client.ts';
import type { Rollcall } from '../rollcall.ts';
import { frameworkCases, InstanceScene, PlayedSignals } from '../testing/framework-cases.ts';
import type { HttpServer } from './http-ending.ts';
import type { InstanceOptions } from './instance-options.ts';
import { serveInstance } from './serve-instance.ts';

let scene: InstanceScene;
beforeEach(async () => {
  scene = await InstanceScene.start();
});
afterEach(() => scene.close());

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const hello = () => createServer((_, response) => response.end('hello'));
const orders = { service: 'orders' };

frameworkCases('node:http', async (rollcall, options) => {
  const server = createServer((_, response) => void setTimeout(() => response.end('node:http'), 2));
  server.listen(0, '127.0.0.1');
  const instance = await serveInstance(rollcall, server, options);
  return { port: portOf(server), close: () => instance.drain() };
});

describe('when it registers', () => {
  test('at other ports, if the options say so', async () => {
    const server = hello().listen(0, '127.0.0.1');
    await serveInstance(scene.client(), server, {
      ...orders,
      ports: { http: 8080, metrics: 9100 },
    });
    expect(Object.keys(await scene.roll())).toEqual(['8080', '9100']);
  });

  test('by a client that only registers', async () => {
    const client = new RegistrationClient({ url: scene.url });
    const server = hello().listen(0, '127.0.0.1');
    const registered: string[] = [];
    const onRegistered: InstanceOptions['onRegistered'] = ({ id }) => registered.push(id);
    const { registration } = await serveInstance(client, server, { ...orders, onRegistered });
    expect(registered).toEqual([registration.id]);
    await client.close();
    expect(await scene.roll()).toEqual({});
    await until(() => !server.listening);
  });

  test('not before it listens, and with HTTP/2 too', async () => {
    const server = createHttp2Server((_, response) => void response.end('hello'));
    const serving = serveInstance(scene.client(), server, orders);
    expect(await scene.roll()).toEqual({});
    server.listen(0, '127.0.0.1');
    const instance = await serving;
    expect(await scene.roll()).toEqual({ [portOf(server)]: 'up' });
    expect(await instance.drain()).toEqual({ cutOff: 0, isDeregistered: true });
  });

  test('a server that cannot listen, or not at a port, is refused', async () => {
    const taken = createTcpServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const late = hello().listen(portOf(taken), '127.0.0.1');
    await expect(serveInstance(scene.client(), late, orders)).rejects.toThrow('EADDRINUSE');
    taken.close();
    const local = hello().listen(join(tmpdir(), `rollcall-${process.pid}.sock`));
    scene.atEnd(() => local.close());
    await expect(serveInstance(scene.client(), local, orders)).rejects.toThrow(
      /^option server: expected a server that listens at a port, got .*\.sock/,
    );
    const none = undefined as unknown as InstanceOptions;
    await expect(serveInstance(scene.client(), hello(), none)).rejects.toThrow(
      'options: expected an object, got undefined',
    );
    await expect(serveInstance({} as Rollcall, hello(), orders)).rejects.toThrow(/option rollcall/);
    await expect(serveInstance(scene.client(), {} as HttpServer, orders)).rejects.toThrow(
      /^option server: expected a server of/,
    );
  });

  test('a refusal of the registry rejects, and the server goes on', async () => {
    const server = hello().listen(0, '127.0.0.1');
    scene.atEnd(() => server.close());
    await expect(serveInstance(await scene.refusing(), server, orders)).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(await (await fetch(`http://127.0.0.1:${portOf(server)}`)).text()).toBe('hello');
  });
});

describe('readiness', () => {
  test('what it throws, and what is no answer, counts as false and is told once', async () => {
    let answer: () => boolean | Promise<boolean> = () => true;
    const server = hello().listen(0, '127.0.0.1');
    const client = scene.client();
    await serveInstance(client, server, {
      ...orders,
      id: 'a',
      readiness: () => answer(),
      readinessIntervalMs: 10,
      readinessTimeoutMs: 30,
    });
    const state = async () => (await scene.roll())[portOf(server)];
    const troubles: [() => boolean | Promise<boolean>, string][] = [
      [() => Promise.reject(new Error('no database')), 'Error: no database'],
      [() => new Promise<boolean>(() => {}), 'no answer in 30 ms'],
      [() => 'yes' as unknown as boolean, 'expected true or false, got string'],
    ];
    for (const [trouble, told] of troubles) {
      await until(async () => (await state()) === 'up');
      scene.warnings.splice(0);
      answer = trouble;
      await until(async () => (await state()) === 'down');
      let questions = 0;
      answer = () => {
        questions++;
        return trouble();
      };
      await until(() => questions > 3);
      expect(scene.warnings).toEqual([
        `the readiness of instance a of default/orders counts as false: ${told}`,
      ]);
      answer = () => true;
    }
  });

  test('is asked no more once the instance leaves', async () => {
    let questions = 0;
    const readiness = () => ++questions > 0;
    const server = hello().listen(0, '127.0.0.1');
    const timing = { readinessIntervalMs: 10 };
    const instance = await serveInstance(scene.client(), server, {
      ...orders,
      readiness,
      ...timing,
    });
    await until(() => questions > 2);
    await instance.drain();
    const asked = questions;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(questions).toBe(asked);
  });
});

describe('what ends it', () => {
  test('a signal while no registry answers', async () => {
    const signals = new PlayedSignals();
    const server = hello().listen(0, '127.0.0.1');
    const away = scene.client(signals, 'http://127.0.0.1:1');
    const serving = serveInstance(away, server, orders);
    await until(() => signals.listenerCount('SIGTERM') > 0);
    signals.emit('SIGTERM');
    await expect(serving).rejects.toThrow('the instance left before it was registered');
    await until(() => !server.listening);
    await until(() => signals.listenerCount('SIGTERM') === 0);
    expect(signals.raised).toEqual([]);
  });

  test('a second signal ends the process at once', async () => {
    const signals = new PlayedSignals();
    const server = hello().listen(0, '127.0.0.1');
    const drain = { settleMs: 60_000 };
    await serveInstance(scene.client(signals), server, { ...orders, drain });
    signals.emit('SIGINT');
    signals.emit('SIGINT');
    expect(signals.raised).toEqual(['SIGINT']);
  });

  test('an abort, and a server that the application closed', async () => {
    const stop = new AbortController();
    const server = hello().listen(0, '127.0.0.1');
    const drain = { signal: stop.signal, signals: false, lingerMs: 20 } as const;
    const first = await serveInstance(scene.client(), server, { ...orders, drain });
    stop.abort();
    expect(await first.drained).toEqual({ cutOff: 0, isDeregistered: true });
    expect(server.listening).toBe(false);
    const closed = hello().listen(0, '127.0.0.1');
    const second = await serveInstance(scene.client(), closed, orders);
    closed.close();
    expect(await second.drained).toMatchObject({ cutOff: 0 });
    expect(await scene.roll()).toEqual({});
  });

  test('what closeStreams throws is a warning, and ends nothing early', async () => {
    const server = hello().listen(0, '127.0.0.1');
    const closeStreams = () => Promise.reject(new Error('streams'));
    const instance = await serveInstance(scene.client(), server, {
      ...orders,
      drain: { closeStreams },
    });
    expect(await instance.drain()).toEqual({ cutOff: 0, isDeregistered: true });
    expect(scene.warnings).toContain('closeStreams failed: Error: streams');
    expect(server.listening).toBe(false);
    expect(await scene.roll()).toEqual({});
  });
});
