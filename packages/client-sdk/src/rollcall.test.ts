import { afterEach, expect, test, vi } from 'vitest';
import { RollcallError } from './base/error.ts';
import type { RollcallOptions } from './api/options.ts';
import { Rollcall } from './rollcall.ts';
import { TestContext } from './testing/context.ts';
import { endOf, runProgram } from './testing/program.ts';
import { endpointAt, type FakeRegistry } from './testing/fake-registry.ts';

const context = new TestContext();
afterEach(() => context.end());
const until = (condition: () => unknown, timeout = 30_000) =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout, interval: 5 });

const run = (registry: FakeRegistry, text: string) => runProgram(context, registry.url, text);

test('a program ends by itself after close', { timeout: 30_000 }, async () => {
  const registry = await context.registry();
  registry.roll.set('orders', [endpointAt(1)]);
  const child = run(
    registry,
    `const client = new Rollcall({ url });
     await client.register({ service: 'orders', port: 3000 });
     const orders = client.service('orders');
     await orders.ready({ endpoints: 0 });
     await orders.request('/').catch(() => undefined);
     await client.close();`,
  );
  expect(await endOf(child)).toBe(0);
  expect(registry.leases.size).toBe(0);
});

test(
  'SIGTERM drains, deregisters and then ends the process as it would have',
  { timeout: 30_000 },
  async () => {
    const registry = await context.registry();
    const child = run(
      registry,
      `const client = new Rollcall({ url });
     await client.register({ service: 'orders', port: 3000, signals: true, drain: { settleMs: 10 } });`,
    );
    await until(() => registry.openHolds().length === 1);
    child.kill('SIGTERM');
    expect(await endOf(child)).toBe('SIGTERM');
    const writes = registry.seen.filter(({ path }) => path.includes('/instances/'));
    expect(writes.map(({ method }) => method)).toEqual(['PUT', 'PATCH', 'GET', 'DELETE']);
  },
);

test(
  'an application with a handler of its own ends by itself, drained',
  { timeout: 30_000 },
  async () => {
    const registry = await context.registry();
    const child = run(
      registry,
      `const client = new Rollcall({ url });
     process.once('SIGTERM', () => { process.exitCode = 7; });
     await client.register({ service: 'orders', port: 3000, signals: ['SIGTERM'], drain: { settleMs: 10 } });`,
    );
    await until(() => registry.openHolds().length === 1);
    child.kill('SIGTERM');
    expect(await endOf(child)).toBe(7);
    expect(registry.leases.size).toBe(0);
  },
);

test(
  'requests under way are answered before a signal ends the process, of two clients too',
  { timeout: 30_000 },
  async () => {
    const registry = await context.registry();
    const child = run(
      registry,
      `const { createServer, get } = await import('node:http');
     const server = createServer((request, response) => {
       process.kill(process.pid, 'SIGTERM');
       setTimeout(() => response.end('late'), 700);
     });
     await new Promise((done) => server.listen(0, '127.0.0.1', done));
     const { port } = server.address();
     for (const id of ['a', 'b']) {
       const client = new Rollcall({ url });
       await client.register({ service: 'orders', id, port, signals: true, drain: { settleMs: 10 } });
     }
     get({ port, host: '127.0.0.1' }, (reply) => {
       reply.on('data', (chunk) => process.stderr.write('got ' + chunk));
     });`,
    );
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    expect(await endOf(child)).toBe('SIGTERM');
    expect(text).toContain('got late');
    expect(registry.leases.size).toBe(0);
  },
);

test('a second signal ends the process at once', { timeout: 30_000 }, async () => {
  const registry = await context.registry();
  const child = run(
    registry,
    `const client = new Rollcall({ url });
     const drain = { settleMs: 0, whenIdle: () => new Promise(() => {}) };
     await client.register({ service: 'orders', port: 1, signals: true, drain });`,
  );
  await until(() => registry.openHolds().length === 1);
  child.kill('SIGTERM');
  await until(() => registry.count('PATCH', /instances/) === 1);
  child.kill('SIGINT');
  expect(await endOf(child)).toBe('SIGINT');
  expect(registry.count('DELETE', /instances/)).toBe(0);
});

test.each<[string, Record<string, unknown>, string]>([
  ['no url', {}, 'url'],
  ['a url of another protocol', { url: 'redis://127.0.0.1' }, 'url'],
  ['an empty list of urls', { url: [] }, 'url'],
  ['an unknown policy', { url: 'http://x', policy: 'fair' }, 'policy'],
  ['a negative timeout', { url: 'http://x', requestTimeoutMs: -1 }, 'requestTimeoutMs'],
  [
    'a nested one',
    { url: 'http://x', calls: { retryBudget: { ratio: 2 } } },
    'calls.retryBudget.ratio',
  ],
])('%s is refused by name', (_, options, field) => {
  const create = () => new Rollcall(options as unknown as RollcallOptions);
  expect(create).toThrow(RollcallError);
  expect(create).toThrow(expect.objectContaining({ code: 'invalid_options', field }));
  expect(create).toThrow(new RegExp(`option ${field.replaceAll('.', '\\.')}: `));
});

test('on a host that it does not run on it says so in one sentence, whatever the options', () => {
  const versions = { ...process.versions, bun: '1.3.0' };
  vi.stubGlobal('process', Object.create(process, { versions: { value: versions } }));
  context.onEnd(() => vi.unstubAllGlobals());
  const message =
    'the Rollcall client needs Node.js 22.19 or Deno 2.9, or later, and this is Bun 1.3.0';
  for (const options of [{ url: 'http://127.0.0.1:1' }, {}]) {
    const create = () => new Rollcall(options as RollcallOptions);
    expect(create).toThrow(RollcallError);
    expect(create).toThrow(expect.objectContaining({ code: 'invalid_options', message }));
  }
});

test('a service of a bad name or namespace is refused', async () => {
  const client = context.client(await context.registry());
  expect(() => client.service('Orders')).toThrow('expected a service name');
  expect(() => client.service('orders', { namespace: 'no_good' })).toThrow('a namespace name');
});

test('the token goes along with calls and streams', async () => {
  const registry = await context.registry();
  const tokens = new Set<string | undefined>();
  registry.onHeaders = ({ authorization }) => tokens.add(authorization);
  const client = context.client(registry, { token: 'secret' });
  await client.register({ service: 'orders', port: 1 });
  await client.service('orders').ready({ endpoints: 0 });
  await until(() => registry.holds.length === 1);
  expect([...tokens]).toEqual(['Bearer secret']);
});

test('nothing is opened before the first registration or service', async () => {
  const registry = await context.registry();
  const client = context.client(registry);
  client.interceptor();
  await client.close();
  expect(registry.seen).toEqual([]);
});
