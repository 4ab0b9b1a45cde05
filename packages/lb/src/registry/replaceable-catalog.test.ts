import type { CatalogChange } from '@rollcall/client-sdk';
import { declare, declaredPort, FakeCatalog } from '@rollcall/client-sdk/testing';
import { ManualClock } from '@rollcall/runtime/testing';
import { expect, test } from 'vitest';
import { endpoint } from '../testing/fake-source.ts';
import { ReplaceableCatalog } from './replaceable-catalog.ts';

class LateCatalog extends FakeCatalog {
  readonly #isReady = Promise.withResolvers<void>();

  override ready(): Promise<void> {
    return this.#isReady.promise;
  }

  async complete(): Promise<void> {
    this.isReady = true;
    this.#isReady.resolve();
    await this.#isReady.promise;
  }
}

const WEB = declare('', [declaredPort(80)], { type: 'LoadBalancer' });

function start() {
  const clock = new ManualClock();
  const first = new FakeCatalog();
  const catalog = new ReplaceableCatalog(first, clock);
  const changes: CatalogChange[] = [];
  catalog.on('change', (change) => changes.push(change));
  const names = () => Array.from(catalog.services(), ({ service }) => service);
  const told = () =>
    changes
      .splice(0)
      .map(({ service, snapshot }) => `${service} ${snapshot?.endpoints.length ?? 'gone'}`);
  return { clock, first, catalog, names, told };
}

test('the old pictures are shown until the new ones are complete; then only what differs is gone', async () => {
  const { clock, first, catalog, names, told } = start();
  first.show('a', WEB, [endpoint(1)]);
  first.show('b', WEB, []);
  expect(told()).toEqual(['a 1', 'b 0']);
  const next = new LateCatalog();
  catalog.replace(next);
  expect(first.isClosed).toBe(true);
  first.show('late', WEB, []);
  next.show('b', WEB, [endpoint(1), endpoint(2)]);
  next.isReady = false;
  clock.advance(2_000);
  expect([names(), catalog.isReady, catalog.ageMs(), told()]).toEqual([
    ['a', 'b'],
    true,
    2_000,
    [],
  ]);
  await next.complete();
  expect(told()).toEqual(['a gone', 'b 2']);
  expect([names(), catalog.ageMs()]).toEqual([['b'], 0]);
  next.show('c', WEB, []);
  expect(told()).toEqual(['c 0']);
});

test('one that is replaced before it was ever complete has nothing to show', async () => {
  const { catalog, names, told } = start();
  const next = new LateCatalog();
  catalog.replace(next);
  expect(catalog.isReady).toBe(false);
  next.show('a', WEB, []);
  expect([names(), told()]).toEqual([['a'], ['a 0']]);
});
