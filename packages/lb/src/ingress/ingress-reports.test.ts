import { RollcallError } from '@rollcall/client-sdk';
import { ManualClock } from '@rollcall/runtime/testing';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { IngressObject } from './ingress-object.ts';
import { IngressReports } from './ingress-reports.ts';

const ADDRESSES = [{ ip: '127.0.0.1', ports: [{ port: 80, protocol: 'TCP' as const }] }];

const ingress = (name: string, uid = name) =>
  ({ namespace: 'shop', name, uid }) as unknown as IngressObject;

class Bench {
  readonly clock = new ManualClock();
  readonly lines: string[] = [];
  readonly sent: string[] = [];
  readonly reporters = new Set<string>();
  fault: Error | undefined;
  readonly reports = new IngressReports({
    port: {
      report: async ({ namespace, name }, reporter, { loadBalancer, forMs }) => {
        this.reporters.add(reporter);
        if (this.fault !== undefined) throw this.fault;
        this.sent.push(`${namespace}/${name} ${loadBalancer[0]?.ip} for ${forMs}`);
      },
      withdraw: async ({ namespace, name }) => void this.sent.push(`no ${namespace}/${name}`),
    },
    clock: this.clock,
    random: () => 0.5,
    processId: 'abc1',
    log: (line) => void this.lines.push(line),
  });

  async pass(ms: number): Promise<string[]> {
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(100);
      await turn();
    }
    return this.sent.splice(0);
  }
}

test('each Ingress is reported, again before that ends, and no longer when it is not routed', async () => {
  const bench = new Bench();
  bench.reports.set([ingress('a'), ingress('b')], ADDRESSES);
  const both = ['shop/a 127.0.0.1 for 60000', 'shop/b 127.0.0.1 for 60000'];
  expect(await bench.pass(300)).toEqual(both);
  bench.reports.set([ingress('a'), ingress('b')], ADDRESSES);
  expect(await bench.pass(20_000)).toEqual([]);
  expect(await bench.pass(20_000)).toEqual(both);
  bench.reports.set([ingress('b')], ADDRESSES);
  expect(await bench.pass(300)).toEqual(['no shop/a']);
  bench.reports.set([ingress('b')], [{ ip: '127.0.0.9' }]);
  expect(await bench.pass(300)).toEqual(['shop/b 127.0.0.9 for 60000']);
  expect([...bench.reporters]).toEqual([expect.stringMatching(/^lb\..*abc1$/)]);
  await bench.reports.close();
  expect(await bench.pass(100)).toEqual(['no shop/b']);
});

test('an Ingress that was declared anew is reported again at once', async () => {
  const bench = new Bench();
  bench.reports.set([ingress('a', 'first')], ADDRESSES);
  await bench.pass(300);
  bench.reports.set([ingress('a', 'second')], ADDRESSES);
  expect(await bench.pass(300)).toHaveLength(1);
});

test('a refusal is told once; that the Ingress is gone is none', async () => {
  const bench = new Bench();
  bench.fault = new RollcallError('object_not_found', 'gone');
  bench.reports.set([ingress('a')], ADDRESSES);
  await bench.pass(5_000);
  expect(bench.lines).toEqual([]);
  bench.fault = new RollcallError('forbidden', 'the token does not cover report:shop');
  bench.reports.set([ingress('a', 'other')], ADDRESSES);
  await bench.pass(20_000);
  expect(bench.lines).toEqual([
    'the addresses of Ingresses do not get to the registry: the token does not cover report:shop',
  ]);
});
