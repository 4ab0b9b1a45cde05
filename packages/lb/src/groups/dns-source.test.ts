import { ManualClock } from '@rollcall/runtime/testing';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { NamedTargets } from '../config/source-schema.ts';
import { FakeSource } from '../testing/fake-source.ts';
import { CombinedSource } from './combined-source.ts';
import { DnsSource } from './dns-source.ts';
import type { AddressAnswer, FamilyAnswer } from './resolver.ts';

const known = (...addresses: string[]): FamilyAnswer => ({ kind: 'known', addresses });
const failed: FamilyAnswer = { kind: 'failed', reason: 'ETIMEOUT' };

class Bench {
  readonly clock = new ManualClock();
  readonly lines: string[] = [];
  answer: AddressAnswer = { v4: known(), v6: known() };
  asked = 0;
  changes = 0;
  isClosed = false;
  readonly source: DnsSource;

  constructor(v4: FamilyAnswer, v6: FamilyAnswer = known()) {
    this.answer = { v4, v6 };
    this.source = new DnsSource(
      NamedTargets.parse({ name: 'shop.internal', port: 80, everyMs: 5_000, zone: 'a', weight: 7 }),
      {
        clock: this.clock,
        random: () => 0.5,
        log: (line) => void this.lines.push(line),
        resolver: {
          resolve: async () => {
            this.asked++;
            return this.answer;
          },
          close: () => void (this.isClosed = true),
        },
      },
    );
    this.source.onChange(() => this.changes++);
  }

  async pass(ms: number): Promise<void> {
    await turn();
    this.clock.advance(ms);
    await turn();
  }

  get addresses(): string[] | undefined {
    return this.source.endpoints()?.map(({ address }) => address);
  }
}

test('addresses of both families are targets, in an order of their own', async () => {
  const bench = new Bench(known('10.0.0.2', '10.0.0.1'), known('2001:db8::1'));
  expect(bench.source.endpoints()).toBeUndefined();
  expect(bench.source.ageMs()).toBe(Infinity);
  await bench.pass(0);
  expect(bench.addresses).toEqual(['10.0.0.1', '10.0.0.2', '2001:db8::1']);
  expect(bench.source.endpoints()![2]).toMatchObject({
    id: '[2001:db8::1]:80',
    port: 80,
    zone: 'a',
    weight: 7,
    ready: true,
    tier: 0,
    reason: 'an address of shop.internal',
  });
  const before = bench.source.endpoints();
  bench.answer = { v4: known('10.0.0.1', '10.0.0.2'), v6: known('2001:db8::1') };
  await bench.pass(5_000);
  expect(bench.asked).toBe(2);
  expect(bench.source.endpoints()).toBe(before);
  expect(bench.changes).toBe(1);
  bench.answer = { v4: known('10.0.0.3'), v6: known() };
  await bench.pass(5_000);
  expect(bench.addresses).toEqual(['10.0.0.3']);
  expect(bench.changes).toBe(2);
});

test('the last good answer stays while nobody answers, and when there is no address any more', async () => {
  const bench = new Bench(known('10.0.0.1'), known('2001:db8::1'));
  await bench.pass(0);
  bench.answer = { v4: failed, v6: failed };
  for (let i = 0; i < 3; i++) await bench.pass(5_000);
  expect(bench.asked).toBe(4);
  expect(bench.addresses).toEqual(['10.0.0.1', '2001:db8::1']);
  expect(bench.source.ageMs()).toBeGreaterThanOrEqual(15_000);
  expect(bench.lines).toEqual(['dns: shop.internal: ETIMEOUT; the last known addresses stay']);
  // One family alone that fails keeps its addresses.
  bench.answer = { v4: known('10.0.0.2'), v6: failed };
  await bench.pass(5_000);
  expect(bench.addresses).toEqual(['10.0.0.2', '2001:db8::1']);
  expect(bench.source.ageMs()).toBe(0);
  bench.answer = { v4: known(), v6: known() };
  await bench.pass(5_000);
  expect(bench.addresses).toEqual(['10.0.0.2', '2001:db8::1']);
  expect(bench.lines.slice(1)).toEqual([
    'dns: shop.internal has addresses again',
    'dns: shop.internal: it has no address that a target can have; the last known addresses stay',
  ]);
});

test('without any answer it is asked for every second, and says why there is none', async () => {
  const bench = new Bench(failed, failed);
  await bench.pass(0);
  expect(bench.source.explain()).toBe('shop.internal: ETIMEOUT');
  for (let i = 0; i < 3; i++) await bench.pass(1_000);
  expect(bench.asked).toBe(4);
  bench.source.close();
  expect(bench.isClosed).toBe(true);
  await bench.pass(60_000);
  expect(bench.asked).toBe(4);
});

test('a name without addresses is one without targets, until it has some', async () => {
  const bench = new Bench(known());
  await bench.pass(0);
  expect(bench.addresses).toEqual([]);
  expect(bench.lines).toEqual(['dns: shop.internal: it has no address that a target can have']);
  bench.answer = { v4: known('10.0.0.1'), v6: failed };
  await bench.pass(1_000);
  expect(bench.addresses).toEqual(['10.0.0.1']);
});

test('addresses at which no target can be are left out', async () => {
  const odd = ['169.254.169.254', '0.0.0.0', '224.0.0.1', '255.255.255.255'];
  const bench = new Bench(
    known(...odd, '10.0.0.1'),
    known('fe80::1', '::', 'ff02::1', '::ffff:169.254.169.254', 'fd00::1'),
  );
  await bench.pass(0);
  expect(bench.addresses).toEqual(['10.0.0.1', 'fd00::1']);
});

test('several sources are one: what is known is shown, each target once', () => {
  const bench = new Bench(failed, failed);
  const registry = new FakeSource();
  const written = new FakeSource();
  const combined = new CombinedSource([written, bench.source, registry]);
  expect(combined.endpoints()).toBeUndefined();
  expect(combined.ageMs()).toBe(Infinity);
  expect(combined.explain()).toBe('the registry cannot be reached');
  let changes = 0;
  const end = combined.onChange(() => changes++);
  const one = { id: 'a', address: '10.0.0.1' } as never;
  registry.show(one);
  expect(combined.endpoints()).toBe(registry.endpoints());
  written.show({ id: 'b' } as never, { id: 'a', address: '10.0.0.9' } as never);
  expect(combined.endpoints()).toEqual([{ id: 'b' }, { id: 'a', address: '10.0.0.9' }]);
  expect(combined.endpoints()).toBe(combined.endpoints());
  expect(changes).toBe(2);
  end();
  registry.show();
  expect(combined.endpoints()).toHaveLength(2);
  expect(changes).toBe(2);
});
