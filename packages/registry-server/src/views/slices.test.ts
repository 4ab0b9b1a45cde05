import { type Endpoint, type ManifestObject, STATE_TABLE } from '@rollcall/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endpointsObject } from './endpoints-object.ts';
import { type SliceSource, slicesOf } from './slices.ts';

function endpointsOf(
  numbers: Iterable<number>,
  portOf: (n: number) => number = () => 80,
): Endpoint[] {
  return [...numbers].map((n) => ({
    id: `i-${n}/http`,
    instance: `i-${n}`,
    address: n % 7 === 0 ? `fd00::${n.toString(16)}` : `10.0.${n >> 8}.${n & 255}`,
    port: portOf(n),
    portName: 'http',
    protocol: 'TCP',
    containerPort: 80,
    zone: '',
    weight: 1,
    labels: {},
    state: 'up',
    reason: '',
    ...STATE_TABLE.up,
  }));
}

const SERVICE: Omit<SliceSource, 'endpoints'> = {
  namespace: 'default',
  service: 'web',
  revision: 1,
  isHeadless: false,
  hasPorts: true,
  families: [],
  isZonePreferred: false,
  appProtocols: new Map(),
  uid: undefined,
  createdAt: undefined,
  labels: {},
};

function slices(endpoints: readonly Endpoint[]): Map<string, string[]> {
  const made = slicesOf({ ...SERVICE, endpoints });
  return new Map(made.map((slice) => [slice.metadata.name, addressesOf(slice)]));
}

const addressesOf = (slice: ManifestObject) =>
  (slice['endpoints'] as { addresses: string[] }[]).flatMap(({ addresses }) => addresses);

test('slices hold all endpoints, each once, and at most 100', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(4_000), { maxLength: 700, size: 'max' }), (numbers) => {
      const endpoints = endpointsOf(numbers);
      const made = slices(endpoints);
      for (const own of made.values()) expect(own.length).toBeLessThanOrEqual(100);
      expect([...made.values()].flat().toSorted()).toEqual(
        endpoints.map(({ address }) => address).toSorted(),
      );
    }),
    { numRuns: 50 },
  );
});

test('O16: one endpoint that comes changes the slice that it is in, or divides that one, and no other', () => {
  const numbers = fc.uniqueArray(fc.nat(4_000), { minLength: 1, maxLength: 500, size: 'max' });
  fc.assert(
    fc.property(numbers, ([extra = 0, ...rest]) => {
      const before = slices(endpointsOf(rest));
      const after = slices(endpointsOf([...rest, extra]));
      const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
        (name) => before.get(name)?.join() !== after.get(name)?.join(),
      );
      const gone = changed.filter((name) => !after.has(name));
      if (gone.length === 0) expect(changed).toHaveLength(1);
      else {
        expect(gone).toHaveLength(1);
        expect(before.get(gone[0] as string)).toHaveLength(100);
        for (const name of changed) expect(name.startsWith(gone[0] as string)).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test('a thousand instances on one machine, each with a port of its own, have slices of different names', () => {
  const endpoints = endpointsOf(Array(3_000).keys(), (n) => 3_000 + n);
  expect(slices(endpoints).size).toBe(3_000);
});

test('O17: derived Endpoints have all addresses, also more than 1,000', () => {
  const numbers = Array.from({ length: 1_001 }, (_, i) => i);
  const object = endpointsObject({ ...SERVICE, endpoints: endpointsOf(numbers) });
  const subsets = object['subsets'] as { addresses: unknown[] }[];
  expect(subsets.map(({ addresses }) => addresses.length)).toEqual([1_001]);
});
