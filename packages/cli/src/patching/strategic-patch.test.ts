import { expect, test } from 'vitest';
import { mergePatchOf } from './strategic-patch.ts';

const SERVICE = {
  kind: 'Service',
  metadata: { labels: { a: '1', b: '2' }, finalizers: ['x.test/a'] },
  spec: {
    selector: { app: 'a', tier: 'b' },
    ports: [
      { name: 'http', port: 80, nodePort: 30_080 },
      { name: 'admin', port: 81 },
    ],
    externalIPs: ['10.0.0.1'],
  },
};
const of = (patch: object) => mergePatchOf(SERVICE, patch) as Record<string, unknown>;

test('ports are merged by their numbers, other lists are replaced', () => {
  const patch = { spec: { ports: [{ port: 81, name: 'ops' }, { port: 82 }], externalIPs: [] } };
  expect(of(patch)).toEqual({
    spec: {
      ports: [
        { name: 'http', port: 80, nodePort: 30_080 },
        { name: 'ops', port: 81 },
        { port: 82 },
      ],
      externalIPs: [],
    },
  });
  expect(of({ spec: { ports: [{ port: 80, nodePort: null }] } })).toEqual({
    spec: {
      ports: [
        { name: 'http', port: 80 },
        { name: 'admin', port: 81 },
      ],
    },
  });
});

test('elements are deleted, or replaced, or the whole list is', () => {
  const ports = (...elements: object[]) => of({ spec: { ports: elements } });
  const [http, admin] = SERVICE.spec.ports;
  expect(ports({ $patch: 'delete', port: 80 })).toEqual({ spec: { ports: [admin] } });
  expect(ports({ $patch: 'replace', port: 80, name: 'x' })).toEqual({
    spec: { ports: [{ port: 80, name: 'x' }, admin] },
  });
  expect(ports({ $patch: 'replace' }, { port: 9 })).toEqual({ spec: { ports: [{ port: 9 }] } });
  expect(ports({ $patch: 'merge', port: 82 })).toEqual({
    spec: { ports: [{ port: 82 }, http, admin] },
  });
});

test('the elements of a patch keep its order; the others stay before those that followed them', () => {
  const before = [1, 2, 3, 4].map((port) => ({ port }));
  const service = { kind: 'Service', spec: { ports: before } };
  const after = (...ports: number[]) => {
    const patch = { spec: { ports: ports.map((port) => ({ port })) } };
    const { spec } = mergePatchOf(service, patch) as typeof service;
    return spec.ports.map(({ port }) => port);
  };
  expect(after(9)).toEqual([9, 1, 2, 3, 4]);
  expect(after(3)).toEqual([1, 2, 3, 4]);
  expect(after(4, 2)).toEqual([1, 3, 4, 2]);
  expect(after(2, 9)).toEqual([1, 2, 9, 3, 4]);
});

test('mappings are replaced, deleted, or keep some of their keys', () => {
  expect(of({ spec: { selector: { $patch: 'replace', app: 'c' } } })).toEqual({
    spec: { selector: { app: 'c', tier: null } },
  });
  expect(of({ spec: { selector: { $patch: 'delete' } } })).toEqual({ spec: { selector: null } });
  expect(of({ metadata: { labels: { $retainKeys: ['b', 'c'], c: '3' } } })).toEqual({
    metadata: { labels: { a: null, c: '3' } },
  });
  const deep = of({ spec: { $patch: 'replace', selector: { x: 'y' } } });
  expect(deep).toEqual({
    spec: { ports: null, externalIPs: null, selector: { app: null, tier: null, x: 'y' } },
  });
});

test('lists of texts', () => {
  expect(of({ metadata: { finalizers: ['x.test/b'] } })).toEqual({
    metadata: { finalizers: ['x.test/a', 'x.test/b'] },
  });
  const gone = { '$deleteFromPrimitiveList/finalizers': ['x.test/a'] };
  expect(of({ metadata: gone })).toEqual({ metadata: { finalizers: [] } });
  // What is not there is not made.
  expect(of({ spec: { '$deleteFromPrimitiveList/none': ['x'] } })).toEqual({ spec: {} });
  expect(of({ spec: { '$setElementOrder/ports': [{ port: 80 }] } })).toEqual({ spec: {} });
});

test.each([
  [
    { spec: { $patch: 'remove' } },
    'spec.$patch: expected one of delete, merge, replace, got "remove"',
  ],
  [{ spec: { ports: [{ name: 'x' }] } }, 'spec.ports: expected port in each element'],
  [{ spec: { ports: ['x'] } }, 'spec.ports: expected mappings'],
  [{ spec: { ports: [{ $patch: 'delete' }] } }, 'spec.ports: expected port in each element'],
  [{ spec: { $retainKeys: 5 } }, 'spec.$retainKeys: expected a list, got 5'],
  [
    { metadata: { '$deleteFromPrimitiveList/finalizers': 'x' } },
    'metadata.$deleteFromPrimitiveList/finalizers: expected a list, got "x"',
  ],
  [{ spec: { $unknown: 1 } }, 'spec.$unknown: expected one of the directives $patch, '],
  [{ $patch: 'delete' }, 'an object is not deleted by a patch'],
])('%o is refused', (patch, why) => {
  expect(() => of(patch)).toThrow(why);
});
