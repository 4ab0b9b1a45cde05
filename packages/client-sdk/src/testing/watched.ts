import { expect, vi } from 'vitest';
import type { Service } from '../api/service.ts';
import type { TestContext } from './context.ts';
import { endpointAt, type FakeRegistry } from './fake-registry.ts';

export const A = endpointAt(1, { instance: 'a' });
export const B = endpointAt(2, { instance: 'b' });

/** Ids of the endpoints in the picture. */
export const ids = (service: Service): string[] => service.endpoints().map(({ id }) => id);

export const until = (condition: () => unknown, timeout = 30_000): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout, interval: 5 });

/** A client that watches `orders`, of which the registry knows A. */
export async function watchingOrders(
  context: TestContext,
): Promise<{ readonly registry: FakeRegistry; readonly orders: Service }> {
  const registry = await context.registry();
  registry.roll.set('orders', [A]);
  const orders = context.client(registry).service('orders');
  await orders.ready();
  return { registry, orders };
}
