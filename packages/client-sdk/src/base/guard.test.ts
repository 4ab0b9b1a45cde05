import { afterEach, expect, test, vi } from 'vitest';
import { ServiceFeed } from '../directory/service-feed.ts';
import { Directory } from '../directory/directory.ts';
import { RegistryClient } from '../registry/registry-client.ts';
import type { Runtime } from './runtime.ts';
import { TestContext } from '../testing/context.ts';
import { endpointAt } from '../testing/fake-registry.ts';
import { serveOrders } from '../testing/served.ts';
import { A, B, ids, until } from '../testing/watched.ts';

const context = new TestContext();
afterEach(async () => {
  vi.restoreAllMocks();
  await context.end();
});

/** Faults are planted where each loop does its work, once; the process would end if nobody caught them. */
const planted = () => new TypeError('planted');
const told = (warn: ReturnType<typeof vi.fn<Runtime['warn']>>) =>
  warn.mock.calls.map(([message, cause]) => [message, (cause as Error).message]);

test('taking in a change: told with its stack, and the stream is opened again', async () => {
  const warn = vi.fn<Runtime['warn']>();
  const { registry, service } = await serveOrders(context, [A], { runtime: { warn } });
  vi.spyOn(ServiceFeed.prototype, 'publish').mockImplementationOnce(() => {
    throw planted();
  });
  registry.change('orders', [endpointAt(9)]);
  await until(() => registry.watches.length === 2);
  registry.change('orders', [B]);
  await until(() => ids(service).length === 2);
  expect(told(warn)).toEqual([
    [
      expect.stringMatching(
        /^a fault of the Rollcall client while taking in .*TypeError: planted$/,
      ),
      'planted',
    ],
  ]);
});

test('opening a stream: tried again', async () => {
  const warn = vi.fn<Runtime['warn']>();
  vi.spyOn(Directory.prototype, 'createSession').mockImplementationOnce(() => {
    throw planted();
  });
  const { service } = await serveOrders(context, [A], { runtime: { warn } });
  expect(ids(service)).toEqual([A.id]);
  expect(told(warn)).toEqual([[expect.stringContaining('while opening a stream'), 'planted']]);
});

test('leaving a stream: another one is opened', async () => {
  const warn = vi.fn<Runtime['warn']>();
  const { registry, service } = await serveOrders(context, [A], { runtime: { warn } });
  vi.spyOn(Directory.prototype, 'onFailure').mockImplementationOnce(() => {
    throw planted();
  });
  registry.openWatches()[0]?.end();
  await until(() => registry.watches.length === 2);
  registry.change('orders', [endpointAt(3)]);
  await until(() => ids(service).length === 2);
  expect(told(warn)).toEqual([[expect.stringContaining('while leaving a stream'), 'planted']]);
});

test('renewing and coming back: tried until it works', async () => {
  const warn = vi.fn<Runtime['warn']>();
  const registry = await context.registry();
  const client = context.client(registry, { runtime: { warn } });
  const registration = await client.register({ service: 'orders', port: 1, ttlMs: 1_000 });
  let renewed = 0;
  registration.on('renewed', () => renewed++);
  vi.spyOn(RegistryClient.prototype, 'call').mockImplementationOnce(() => {
    throw planted();
  });
  await until(() => renewed >= 2);
  expect(told(warn)).toEqual([[expect.stringContaining('while renewing leases'), 'planted']]);
  let isThrown = false;
  const call = vi.spyOn(RegistryClient.prototype, 'call');
  call.mockImplementation(function (this: RegistryClient, name, request) {
    if (name === 'register' && !isThrown) {
      isThrown = true;
      return Promise.reject(planted());
    }
    vi.restoreAllMocks();
    return this.call(name, request);
  });
  const returned = vi.fn<() => void>();
  registration.on('reregistered', returned);
  (registration as unknown as { onUnknown(lease: string): void }).onUnknown(
    [...registry.leases.values()][0]!.lease,
  );
  await until(() => returned.mock.calls.length === 1);
  expect(told(warn).at(-1)).toEqual([expect.stringContaining('comes back'), 'planted']);
});
