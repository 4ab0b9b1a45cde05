import type { ChildProcess } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { closedPort, startBackend } from './testing/backends.ts';
import { TestContext } from './testing/context.ts';
import { endpointAt } from './testing/fake-registry.ts';
import { endOf, runProgram } from './testing/program.ts';
import { until } from './testing/watched.ts';

const context = new TestContext();
afterEach(() => context.end());

/** What the program has printed on stderr. */
function told(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

/** Longer than any test: a stream that nobody ends stays open. */
const SILENCE = 'silenceMs: 600_000';

/** How it ends within a while, if it does. */
async function soonEndOf(child: ChildProcess): Promise<number | string | null> {
  const limit = setTimeout(() => child.kill('SIGKILL'), 15_000);
  try {
    return await endOf(child);
  } finally {
    clearTimeout(limit);
  }
}

async function watchedRegistry() {
  const registry = await context.registry();
  registry.roll.set('orders', [endpointAt(1)]);
  return registry;
}

/** Longer than anything that a client does by itself between two requests. */
const LONG_MS = 2_500;
const stays = async (child: ChildProcess) => {
  await new Promise((done) => setTimeout(done, LONG_MS));
  return child.exitCode === null && child.signalCode === null;
};

describe('a program that only watches ends by itself', { timeout: 30_000 }, () => {
  test.each([
    ['a service', `client.service('orders').on('change', () => {});`],
    ['a service that it has seen', `await client.service('orders').ready();`],
    ['all services', `await client.catalog().ready();`],
    [
      'services that it takes up later',
      `await client.service('orders').ready(); await client.service('stock').ready({ endpoints: 0 });`,
    ],
    [
      'a service that it has called',
      `const orders = client.service('orders'); await orders.request('/').catch(() => {});`,
    ],
  ])('%s', async (_, program) => {
    const registry = await watchedRegistry();
    const child = runProgram(
      context,
      registry.url,
      `const client = new Rollcall({ url, ${SILENCE} }); ${program}`,
    );
    expect(await soonEndOf(child)).toBe(0);
    await until(() => registry.watches.every(({ isOpen }) => !isOpen));
  });

  test('while no registry answers, too', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const program = `new Rollcall({ url, ${SILENCE} }).service('orders').on('change', () => {});`;
    expect(await soonEndOf(runProgram(context, url, program))).toBe(0);
  });

  test('after a refusal, whose connection might be used again', async () => {
    const registry = await watchedRegistry();
    let refusals = 2;
    registry.script = ({ path }) =>
      path.startsWith('/v1/watch') && refusals-- > 0 ? 'overloaded' : undefined;
    const program = `await new Rollcall({ url, ${SILENCE}, reconnectMaxMs: 10 }).service('orders').ready();`;
    expect(await soonEndOf(runProgram(context, registry.url, program))).toBe(0);
  });
});

describe('a program stays', { timeout: 30_000 }, () => {
  test.each([
    ['that watches with keepAlive', `new Rollcall({ url, keepAlive: true }).service('orders');`],
    [
      'that has an instance on the roll',
      `const client = new Rollcall({ url, ${SILENCE} }); client.service('orders');
       await client.register({ service: 'stock', port: 3000 });`,
    ],
    [
      'that waits for an endpoint',
      `await new Rollcall({ url, ${SILENCE} }).service('nobody').ready();`,
    ],
    [
      'whose call waits for one',
      `await new Rollcall({ url, ${SILENCE} }).service('nobody').request('/', { waitMs: 600_000 });`,
    ],
  ])('%s', async (_, program) => {
    const registry = await watchedRegistry();
    const child = runProgram(context, registry.url, program);
    const errors = told(child);
    await until(() => registry.watches.length + registry.leases.size > 0);
    expect([await stays(child), errors()]).toEqual([true, '']);
  });

  test.each([
    ['that waits for a service', `await client.service('orders').ready();`],
    ['that waits for all services', `await client.catalog().ready();`],
    ['that registers', `await client.register({ service: 'orders', port: 3000 });`],
    ['that watches with keepAlive', `client.service('orders');`],
  ])('%s, while no registry answers', async (what, program) => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const keepAlive = what.includes('keepAlive');
    const child = runProgram(
      context,
      url,
      `const client = new Rollcall({ url, keepAlive: ${keepAlive} }); ${program}`,
    );
    await until(() => child.pid);
    expect(await stays(child)).toBe(true);
  });

  test('until its wait is over, and its call is answered', async () => {
    const registry = await context.registry();
    const backend = await startBackend('late', (_, response) => {
      setTimeout(() => response.end('late'), 500);
    });
    context.onEnd(() => backend.close());
    const child = runProgram(
      context,
      registry.url,
      `const orders = new Rollcall({ url, ${SILENCE} }).service('orders');
       await orders.ready();
       console.error(await (await orders.request('/', { tryTimeoutMs: 300_000, timeoutMs: 600_000 })).body.text());`,
    );
    const errors = told(child);
    await until(() => registry.watches.length > 0);
    registry.change('orders', [endpointAt(backend.port)], []);
    expect(await soonEndOf(child)).toBe(0);
    expect(errors()).toBe('late\n');
  });
});
