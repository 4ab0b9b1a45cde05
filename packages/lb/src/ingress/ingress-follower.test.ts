import { RollcallError, type ServiceSnapshot } from '@rollcall/client-sdk';
import { ManualClock } from '@rollcall/runtime/testing';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { IngressRouting } from '../config/ingress-schema.ts';
import { IngressFollower } from './ingress-follower.ts';
import { IngressSecrets, type SecretSource } from './ingress-secrets.ts';
import type { FollowedService } from '../backends/service-ports.ts';

const SETTINGS = IngressRouting.parse({ listener: 'web' });

const ingress = (name: string, resourceVersion: string, port: object = { number: 80 }) => ({
  metadata: { name, namespace: 'shop', resourceVersion },
  spec: { defaultBackend: { service: { name: 'orders', port } } },
});

const NO_SECRETS: SecretSource = {
  versions: () => Promise.reject(new Error('nobody asked for Secrets')),
  read: () => Promise.reject(new Error('nobody asked for Secrets')),
};

class FakeService implements FollowedService {
  shown: ServiceSnapshot | undefined;
  isClosed = false;
  #listener = () => {};

  snapshot = () => this.shown;

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  close(): void {
    this.isClosed = true;
  }

  show(name: string, port: number): void {
    const declared = { ports: [{ name, port, protocol: 'TCP' }] };
    this.shown = { declared, endpoints: [] } as unknown as ServiceSnapshot;
    this.#listener();
  }
}

class Bench {
  readonly clock = new ManualClock();
  readonly lines: string[] = [];
  readonly faults: unknown[] = [];
  readonly services = new Map<string, FakeService>();
  changes = 0;
  classes: readonly unknown[] = [];
  lists = 0;
  list: { metadata: { resourceVersion: string }; items: readonly unknown[] } | Error =
    new RollcallError('registry_unreachable', 'away');
  readonly follower = new IngressFollower({
    clock: this.clock,
    log: (line) => void this.lines.push(line),
    list: async () => {
      this.lists++;
      if (this.list instanceof Error) throw this.list;
      return this.list;
    },
    listClasses: async () => ({ metadata: { resourceVersion: '0' }, items: this.classes }),
    secrets: new IngressSecrets(NO_SECRETS, this.clock, () => {}),
    followService: ({ namespace, service }) => {
      const followed = new FakeService();
      this.services.set(`${namespace}/${service}`, followed);
      return followed;
    },
    onFault: (error) => void this.faults.push(error),
  });

  async start(): Promise<void> {
    this.follower.start(SETTINGS, false, () => this.changes++);
    await turn();
  }

  show(resourceVersion: string, ...items: readonly unknown[]): void {
    this.list = { metadata: { resourceVersion }, items };
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      this.clock.advance(50);
      await turn();
    }
  }

  get groups(): string[] {
    return Object.keys(this.follower.routes(SETTINGS)?.targetGroups ?? {});
  }
}

test('a change counts when the ports of its services are known, and is told once', async () => {
  const bench = new Bench();
  bench.show('5', ingress('a', '5'));
  await bench.start();
  expect(bench.follower.isReady).toBe(false);
  await bench.pass(500);
  expect(bench.changes).toBe(0);
  bench.services.get('shop/orders')!.show('http', 80);
  expect(bench.follower.isReady).toBe(true);
  await bench.follower.ready();
  await bench.pass(200);
  expect(bench.changes).toBe(1);
  expect(bench.groups).toEqual(['ingress/shop/orders:http']);
  // The same again is none.
  bench.show('9', ingress('a', '5'));
  await bench.pass(10_000);
  expect(bench.changes).toBe(1);
  expect(bench.lists).toBeGreaterThan(4);
  bench.services.get('shop/orders')!.show('web', 80);
  await bench.pass(200);
  expect(bench.changes).toBe(2);
  expect(bench.groups).toEqual(['ingress/shop/orders:web']);
  // By name: nobody needs the service any more.
  bench.show('10', ingress('a', '10', { name: 'http' }));
  await bench.pass(3_000);
  expect(bench.changes).toBe(3);
  expect(bench.services.get('shop/orders')!.isClosed).toBe(true);
});

test('ports that nobody tells hold a change up for a second', async () => {
  const bench = new Bench();
  bench.show('5', ingress('a', '5'));
  await bench.start();
  await bench.pass(1_500);
  expect(bench.changes).toBe(1);
  expect(bench.groups).toEqual(['ingress/shop/orders:80']);
});

test('while the registry is away, or refuses, the last known ones stay', async () => {
  const bench = new Bench();
  await bench.start();
  expect(bench.follower.routes(SETTINGS)).toBeUndefined();
  expect(bench.lines).toEqual([]);
  bench.show('5', ingress('a', '5', { name: 'http' }));
  await bench.pass(3_000);
  expect(bench.groups).toEqual(['ingress/shop/orders:http']);
  bench.list = new RollcallError('forbidden', 'not allowed');
  await bench.pass(20_000);
  expect(bench.groups).toEqual(['ingress/shop/orders:http']);
  expect(bench.lines).toEqual([
    'the Ingresses cannot be read, the last known ones stay: not allowed',
  ]);
  expect(bench.faults).toEqual([]);
});

test('an older list counts only when it lasts', async () => {
  const bench = new Bench();
  bench.show('10', ingress('a', '10', { name: 'http' }));
  await bench.start();
  bench.show('9');
  await bench.pass(10_000);
  expect(bench.groups).toHaveLength(1);
  bench.show('11', ingress('a', '10', { name: 'http' }));
  await bench.pass(3_000);
  // A store that begins anew.
  bench.show('1');
  await bench.pass(14_000);
  expect(bench.groups).toHaveLength(1);
  await bench.pass(5_000);
  expect(bench.groups).toEqual([]);
});

test('what is no Ingress is left out', async () => {
  const bench = new Bench();
  bench.show('5', { kind: 'Ingress' }, null, ingress('a', '5', { name: 'http' }));
  await bench.start();
  expect(bench.groups).toEqual(['ingress/shop/orders:http']);
});

test('a class that comes to another controller takes its Ingresses away', async () => {
  const bench = new Bench();
  const { metadata, spec } = ingress('a', '5', { name: 'http' });
  bench.show('5', { metadata, spec: { ...spec, ingressClassName: 'rollcall' } });
  await bench.start();
  await bench.pass(200);
  expect(bench.groups).toHaveLength(1);
  bench.classes = [{ metadata: { name: 'rollcall' }, spec: { controller: 'a.test/b' } }];
  await bench.pass(3_000);
  expect(bench.groups).toEqual([]);
  expect(bench.changes).toBe(2);
});

test('after its end it asks no more', async () => {
  const bench = new Bench();
  await bench.start();
  bench.follower.close();
  const { lists } = bench;
  await bench.pass(10_000);
  expect(bench.lists).toBe(lists);
  expect(bench.clock.nextDueMs).toBeUndefined();
});
