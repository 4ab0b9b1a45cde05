import { expect, test } from 'vitest';
import { until } from '@rollcall/testkit';
import { RollcallError } from '../base/error.ts';
import { Rollcall } from '../rollcall.ts';
import { endpointAt, FakeRegistry } from '../testing/index.ts';
import { SYSTEM_RUNTIME } from '../base/system-runtime.ts';
import { Connection } from './connection.ts';

const [A, B] = ['http://a', 'http://b'];
const silent = new RollcallError('registry_unreachable', 'nobody there');
const refused = new RollcallError('forbidden', 'not you');

function connection(urls: readonly string[]) {
  const told: unknown[] = [];
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const subject = new Connection(urls, {
    runtime: SYSTEM_RUNTIME,
    logger: { info: write, warn: write },
  });
  subject.events.on('connecting', () => told.push('connecting'));
  subject.events.on('connected', (url) => told.push(url));
  subject.events.on('unreachable', (error) => told.push(error));
  const ask = (url: string, outcome?: Error) =>
    subject
      .observe(url, () => (outcome === undefined ? Promise.resolve() : Promise.reject(outcome)))
      .catch(() => undefined);
  return { subject, told, lines, ask };
}

test('each change is told once', async () => {
  const { subject, told, lines, ask } = connection([A]);
  expect(subject.state).toBe('idle');
  for (let i = 0; i < 3; i++) await ask(A);
  expect(subject.state).toBe('connected');
  for (let i = 0; i < 3; i++) await ask(A, silent);
  expect(subject.state).toBe('unreachable');
  for (let i = 0; i < 3; i++) await ask(A);
  expect(told).toEqual(['connecting', A, silent, A]);
  expect(lines).toHaveLength(4);
  expect(lines[2]).toContain('nobody there');
});

test('while one url answers, the registry is reached', async () => {
  const { subject, told, ask } = connection([A, B]);
  await ask(A, silent);
  await ask(B);
  await ask(A, silent);
  expect(subject.state).toBe('connected');
  await ask(B, silent);
  expect(subject.state).toBe('unreachable');
  expect(told).toEqual(['connecting', B, silent]);
});

test('a refusal is an answer, an abort says nothing', async () => {
  const { subject, ask } = connection([A]);
  await ask(A, new Error('given up'));
  expect(subject.state).toBe('connecting');
  await ask(A, refused);
  expect(subject.state).toBe('connected');
});

test('a client tells when its registry goes and comes', async () => {
  const registry = await FakeRegistry.start();
  const { url } = registry;
  await registry.kill();
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const rollcall = new Rollcall({ url, logger: { info: write, warn: write } });
  const told: string[] = [];
  rollcall.on('unreachable', ({ code }) => told.push(code));
  rollcall.on('connected', (reached) => told.push(reached));
  const late = AbortSignal.timeout(300);
  const ended = rollcall.register({ service: 'orders', port: 1, signal: late }).catch((e) => e);
  const error = (await ended) as Error;
  expect(error.name).toBe('TimeoutError');
  expect((error.cause as Error).message).toContain(`${url} did not answer`);
  expect(told).toEqual(['registry_unreachable']);
  await registry.listen();
  const orders = rollcall.service('orders');
  await orders.ready({ endpoints: 0 });
  expect(told).toEqual(['registry_unreachable', url]);
  await registry.kill();
  await until(() => rollcall.connection === 'unreachable');
  expect(told).toEqual(['registry_unreachable', url, 'registry_unreachable']);
  expect(lines.filter((line) => line.startsWith('no registry answers'))).toHaveLength(2);
  await rollcall.close();
});

test('what would be a warning goes to the logger', async () => {
  const registry = await FakeRegistry.start();
  const warned: string[] = [];
  const logger = { info: () => {}, warn: (line: string) => void warned.push(line) };
  const rollcall = new Rollcall({ url: registry.url, logger });
  rollcall.on('connected', () => {
    throw new Error('a bug of the application');
  });
  await rollcall.service('orders').ready({ endpoints: 0 });
  expect(warned.join()).toContain('a bug of the application');
  await rollcall.close();
  await registry.kill();
});

test('a url of the wrong scheme is told as that', async () => {
  const registry = await FakeRegistry.start();
  const rollcall = new Rollcall({ url: registry.url.replace('http:', 'https:') });
  const told: string[] = [];
  rollcall.on('unreachable', ({ message }) => told.push(message));
  await expect(rollcall.call('listServices', { params: { ns: '*' } })).rejects.toThrow(
    'it does not speak TLS: http:// instead of https://?',
  );
  expect(told).toHaveLength(1);
  await rollcall.close();
  await registry.kill();
});

test('a logger that fails breaks nothing', async () => {
  const registry = await FakeRegistry.start();
  const warned: string[] = [];
  const note = ({ message }: Error) => void warned.push(message);
  process.on('warning', note);
  const boom = () => {
    throw new Error('boom');
  };
  const later = () => Promise.reject(new Error('boom later'));
  for (const logger of [
    { info: boom, warn: boom },
    { info: later, warn: later },
  ]) {
    const rollcall = new Rollcall({ url: registry.url, logger });
    rollcall.on('connected', boom);
    await rollcall.service('orders').ready({ endpoints: 0 });
    expect(rollcall.connection).toBe('connected');
    await rollcall.close();
  }
  await until(() => warned.some((line) => line.includes('the logger failed: Error: boom later')));
  process.off('warning', note);
  await registry.kill();
});

test('a stream that delivers is an answer; what was never sent is none', async () => {
  const registry = await FakeRegistry.start();
  const rollcall = new Rollcall({ url: registry.url, requestTimeoutMs: 200 });
  const params = { ns: 'default', svc: 'orders', reporter: 'me' };
  const unsendable = { ...params, conditions: [1n] } as never;
  await expect(rollcall.call('putReport', { params, body: unsendable })).rejects.toThrow('BigInt');
  expect(rollcall.connection).not.toBe('connected');
  await rollcall.service('orders').ready({ endpoints: 0 });
  registry.answers = false;
  await rollcall.call('listServices', { params: { ns: '*' } }).catch(() => undefined);
  registry.answers = true;
  registry.change('orders', [endpointAt(3_000)]);
  await until(() => rollcall.connection === 'connected');
  await rollcall.close();
  await registry.kill();
});

test('a url that is given twice is one; closing is no outage', async () => {
  const twice = connection([A, A]);
  await twice.ask(A, silent);
  expect(twice.subject.state).toBe('unreachable');
  const { subject, told, ask } = connection([A]);
  await ask(A);
  subject.close();
  await ask(A, silent);
  expect(told).toEqual(['connecting', A]);
});

test.each([{}, 'console', { info: 1, warn: 2 }])('a logger like %j is refused', (logger) => {
  const create = () => new Rollcall({ url: A, logger: logger as never });
  expect(create).toThrow('option logger: expected an object with the functions info and warn');
});
