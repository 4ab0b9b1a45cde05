import { RollcallError } from '@rollcall/client-sdk';
import { ManualClock } from '@rollcall/runtime/testing';
import { TestAuthority } from '@rollcall/testkit';
import { expect, test } from 'vitest';
import { ingressOf } from './ingress-object.ts';
import { IngressSecrets } from './ingress-secrets.ts';

const authority = new TestAuthority();
const [first, second] = ['a.test', 'b.test'].map((name) => authority.issue({ names: [name] }));

const INGRESS = ingressOf({
  metadata: { name: 'web', namespace: 'shop' },
  spec: { tls: [{ hosts: ['a.test'], secretName: 'own' }, { hosts: ['c.test'] }] },
})!;

class Bench {
  readonly clock = new ManualClock();
  readonly faults: unknown[] = [];
  versions: Record<string, string> | Error = { 'shop/own': '1', 'shop/other': '1' };
  pair: { cert: string; key: string } | Error = first!;
  readonly reads: string[] = [];
  readonly secrets = new IngressSecrets(
    {
      versions: async () => {
        if (this.versions instanceof Error) throw this.versions;
        return new Map(Object.entries(this.versions));
      },
      read: async ({ namespace, name }) => {
        this.reads.push(`${namespace}/${name}`);
        if (this.pair instanceof Error) throw this.pair;
        return this.pair;
      },
    },
    this.clock,
    (error) => void this.faults.push(error),
  );

  /** Whether something changed. */
  async update(): Promise<boolean> {
    const { version } = this.secrets;
    await this.secrets.update([INGRESS], 'shop');
    return this.secrets.version !== version;
  }

  get certs(): string[] {
    return this.secrets.certificatesOf([INGRESS]).map(({ cert }) => cert);
  }
}

test('only what an Ingress names is read, and again only when it has changed', async () => {
  const bench = new Bench();
  expect(await bench.update()).toBe(true);
  expect(await bench.update()).toBe(false);
  expect(bench.reads).toEqual(['shop/own']);
  expect(bench.secrets.certificatesOf([INGRESS])).toEqual([
    { secret: 'shop/own', cert: first!.cert, key: first!.key, hosts: ['a.test'] },
  ]);
  bench.versions = { 'shop/own': '2' };
  bench.pair = second!;
  expect(await bench.update()).toBe(true);
  expect(bench.certs).toEqual([second!.cert]);
  bench.versions = {};
  expect(await bench.update()).toBe(true);
  expect(bench.certs).toEqual([]);
  expect(bench.secrets.notesOf([INGRESS])).toEqual([
    'Ingress shop/web: Secret shop/own: there is none',
  ]);
});

test('one that cannot be read, or used, leaves the last one in use, and is tried again later', async () => {
  const bench = new Bench();
  await bench.update();
  bench.versions = { 'shop/own': '2' };
  bench.pair = new RollcallError('forbidden', 'not covered');
  expect(await bench.update()).toBe(true);
  expect(await bench.update()).toBe(false);
  expect(bench.reads).toHaveLength(2);
  expect(bench.certs).toEqual([first!.cert]);
  const notes = () => bench.secrets.notesOf([INGRESS]);
  expect(notes()).toEqual(['Ingress shop/web: Secret shop/own: not used: not covered']);
  bench.clock.advance(10_000);
  bench.pair = { cert: first!.cert, key: second!.key };
  await bench.update();
  expect(notes()[0]).toContain('not used: tls.key of Secret shop/own');
  expect(notes()[0]).not.toContain('PRIVATE');
  bench.clock.advance(10_000);
  bench.pair = second!;
  await bench.update();
  expect(notes()).toEqual([]);
  expect(bench.certs).toEqual([second!.cert]);
});

test('while the registry is away the last known ones stay', async () => {
  const bench = new Bench();
  await bench.update();
  bench.versions = new RollcallError('registry_unreachable', 'away');
  expect(await bench.update()).toBe(false);
  expect(bench.certs).toEqual([first!.cert]);
  expect(bench.faults).toEqual([]);
  bench.versions = new TypeError('a fault');
  await bench.update();
  expect(bench.faults).toHaveLength(1);
});
