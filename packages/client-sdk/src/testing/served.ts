import type { Endpoint } from '@rollcall/contract';
import type { RollcallOptions } from '../api/options.ts';
import type { Rollcall } from '../rollcall.ts';
import type { Service } from '../api/service.ts';
import { type Answer, type Backend, startBackend } from './backends.ts';
import type { TestContext } from './context.ts';
import { endpointAt, type FakeRegistry } from './fake-registry.ts';

/** A backend that is closed with the test. */
export async function backendOf(
  context: TestContext,
  name: string,
  answer?: Answer,
): Promise<Backend> {
  const started = await startBackend(name, answer);
  context.onEnd(() => started.close());
  return started;
}

export interface Served {
  readonly client: Rollcall;
  readonly registry: FakeRegistry;
  readonly service: Service;
}

/** `orders` with the given endpoints, or ports of this machine; they are called in turn, starting with the first. */
export async function serveOrders(
  context: TestContext,
  where: readonly (number | Endpoint)[],
  given: Partial<RollcallOptions> = {},
): Promise<Served> {
  const registry = await context.registry();
  const endpoints = where.map((one) => (typeof one === 'number' ? endpointAt(one) : one));
  registry.roll.set('orders', endpoints);
  const { runtime, ...options } = given;
  const client = context.client(registry, {
    policy: 'round-robin',
    ...options,
    runtime: { random: () => 0, ...runtime },
  });
  const service = client.service('orders');
  await service.ready({ endpoints: 0 });
  return { client, registry, service };
}
