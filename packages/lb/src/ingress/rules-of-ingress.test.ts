import type { RequestView } from '@rollcall/dataplane';
import { expect, test } from 'vitest';
import { IngressRouting } from '../config/ingress-schema.ts';
import type { RuleConfig } from '../config/rule-schema.ts';
import { conditionsOf } from '../matching/conditions.ts';
import { normalPath } from '../matching/normal-path.ts';
import { pathPattern } from '../matching/path-pattern.ts';
import { RuleTable } from '../matching/rule-table.ts';
import { type IngressObject, ingressOf } from './ingress-object.ts';
import { meantIngresses } from './meant-ingresses.ts';
import { type IngressRoutes, rulesOfIngresses } from './rules-of-ingress.ts';

/** Host and path type, path, service; the host may be left out. */
type PathRow = readonly [
  type: 'Exact' | 'Prefix' | 'ImplementationSpecific',
  path: string,
  service: string,
];

interface Wanted {
  readonly name?: string;
  readonly namespace?: string;
  readonly created?: string;
  readonly className?: string;
  readonly annotations?: Record<string, string>;
  readonly rules?: readonly (readonly [host: string, ...paths: PathRow[]])[];
  readonly fallback?: string;
}

const backend = (name: string, port: object = { name: 'http' }) => ({ service: { name, port } });

function ingress(wanted: Wanted): IngressObject {
  const { name = 'web', namespace = 'shop', created = '2026-01-01T00:00:00Z', fallback } = wanted;
  const { annotations, className, rules = [] } = wanted;
  const object = ingressOf({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, creationTimestamp: created, annotations },
    spec: {
      ingressClassName: className,
      defaultBackend: fallback === undefined ? undefined : backend(fallback),
      rules: rules.map(([host, ...paths]) => ({
        host: host === '' ? undefined : host,
        http: {
          paths: paths.map(([pathType, path, service]) => {
            return { pathType, path, backend: backend(service) };
          }),
        },
      })),
    },
  });
  return object!;
}

const SETTINGS = IngressRouting.parse({ listener: 'web' });
const routesOf = (...all: IngressObject[]) =>
  rulesOfIngresses(meantIngresses(all, new Map(), SETTINGS), () => undefined);

/** The service that gets a request; '-': none. */
function served({ rules, targetGroups }: IngressRoutes, url: string): string {
  const { hostname: host, pathname } = new URL(`http://${url}`);
  const table = new RuleTable(
    rules.map((rule, index) => ({
      host: rule.host,
      hostDepth: rule.hostDepth,
      path: pathPattern(rule.path),
      conditions: conditionsOf(rule),
      priority: rule.priority,
      index,
      value: rule,
    })),
  );
  const path = normalPath(pathname)!;
  const request = { host, path, target: path, method: 'GET', clientAddress: '', rule: '' };
  const rule: RuleConfig | undefined = table.find(
    { ...request, requestId: '', isSecure: false, field: () => undefined } satisfies RequestView,
    path,
  );
  return rule === undefined ? '-' : targetGroups[rule.targetGroup!]!.service!;
}

const PATHS: [type: PathRow[0], path: string, request: string, isServed: boolean][] = [
  ['Prefix', '/', '/any/thing', true],
  ['Prefix', '/', '/', true],
  ['Exact', '/foo', '/foo', true],
  ['Exact', '/foo', '/bar', false],
  ['Exact', '/foo', '/foo/', false],
  ['Exact', '/foo/', '/foo', false],
  ['Exact', '/foo/', '/foo/', true],
  ['Exact', '/foo', '/FOO', false],
  ['Prefix', '/foo', '/foo', true],
  ['Prefix', '/foo', '/foo/', true],
  ['Prefix', '/foo', '/foo/bar', true],
  ['Prefix', '/foo', '/foobar', false],
  ['Prefix', '/foo/', '/foo', true],
  ['Prefix', '/foo/', '/foo/', true],
  ['Prefix', '/aaa/bb', '/aaa/bbb', false],
  ['Prefix', '/aaa/bbb', '/aaa/bbb', true],
  ['Prefix', '/aaa/bbb/', '/aaa/bbb', true],
  ['Prefix', '/aaa/bbb', '/aaa/bbb/', true],
  ['Prefix', '/aaa/bbb', '/aaa/bbb/ccc', true],
  ['Prefix', '/aaa/bbb', '/aaa/bbbxyz', false],
  ['ImplementationSpecific', '/foo', '/foo/bar', true],
  ['ImplementationSpecific', '/foo', '/foobar', false],
  ['ImplementationSpecific', '', '/foo', true],
  // Both are compared in their normal form.
  ['Prefix', '/a//b/%7e', '/a/b/~/c', true],
  ['Exact', '/straße', '/stra%C3%9Fe', true],
];

test.each(PATHS)('%s %s: %s is served: %s', (type, path, request, isServed) => {
  const routes = routesOf(ingress({ rules: [['', [type, path, 's']]] }));
  expect(routes.notes).toEqual([]);
  expect(served(routes, `any.test${request}`)).toBe(isServed ? 's' : '-');
});

const SEVERAL: [paths: PathRow[], request: string, service: string][] = [
  [
    [
      ['Prefix', '/', 'root'],
      ['Prefix', '/aaa', 'a'],
    ],
    '/aaa/ccc',
    'a',
  ],
  [
    [
      ['Prefix', '/aaa', 'a'],
      ['Prefix', '/', 'root'],
    ],
    '/aaa',
    'a',
  ],
  [
    [
      ['Prefix', '/', 'root'],
      ['Prefix', '/aaa', 'a'],
    ],
    '/ccc',
    'root',
  ],
  [
    [
      ['Prefix', '/', 'root'],
      ['Prefix', '/aaa', 'a'],
      ['Prefix', '/aaa/bbb', 'b'],
    ],
    '/aaa/bbb',
    'b',
  ],
  [[['Prefix', '/aaa', 'a']], '/ccc', 'fallback'],
  [
    [
      ['Prefix', '/foo', 'prefix'],
      ['Exact', '/foo', 'exact'],
    ],
    '/foo',
    'exact',
  ],
  [
    [
      ['Prefix', '/foo', 'prefix'],
      ['Exact', '/foo', 'exact'],
    ],
    '/foo/',
    'prefix',
  ],
  [
    [
      ['Exact', '/foo', 'exact'],
      ['Prefix', '/foo/bar', 'longer'],
    ],
    '/foo/bar',
    'longer',
  ],
];

test.each(SEVERAL)('%j: %s goes to %s', (paths, request, service) => {
  const routes = routesOf(ingress({ rules: [['', ...paths]], fallback: 'fallback' }));
  expect(served(routes, `any.test${request}`)).toBe(service);
});

test.each<[string, string, boolean]>([
  ['*.foo.com', 'bar.foo.com', true],
  ['*.foo.com', 'baz.bar.foo.com', false],
  ['*.foo.com', 'foo.com', false],
  ['*.foo.com', 'barfoo.com', false],
  ['foo.com', 'foo.com', true],
  ['Foo.com', 'foo.com', true],
  ['foo.com', 'bar.foo.com', false],
  ['', 'whatever.test', true],
])('host %s: %s is served: %s', (host, asked, isServed) => {
  const routes = routesOf(ingress({ rules: [[host, ['Prefix', '/', 's']]] }));
  expect(served(routes, `${asked}/x`)).toBe(isServed ? 's' : '-');
});

test('the exact host goes before the wildcard, and a host before none', () => {
  const routes = routesOf(
    ingress({
      rules: [
        ['', ['Prefix', '/', 'any']],
        ['*.foo.com', ['Prefix', '/', 'wild']],
        ['bar.foo.com', ['Prefix', '/only', 'exact']],
      ],
    }),
  );
  expect(served(routes, 'bar.foo.com/only')).toBe('exact');
  expect(served(routes, 'bar.foo.com/')).toBe('wild');
  expect(served(routes, 'a.bar.foo.com/only')).toBe('any');
});

test('the default backend takes what no rule is for, and never goes before a rule of another', () => {
  const first = ingress({ name: 'a', fallback: 'left', rules: [['a.test', ['Exact', '/x', 'x']]] });
  const second = ingress({ name: 'b', rules: [['', ['Prefix', '/b', 'b']]] });
  const routes = routesOf(first, second);
  expect(served(routes, 'a.test/x')).toBe('x');
  expect(served(routes, 'a.test/y')).toBe('left');
  expect(served(routes, 'other.test/b')).toBe('b');
  expect(served(routes, 'other.test/c')).toBe('left');
  const third = ingress({ name: 'c', rules: [['', ['Prefix', '/', 'all']]] });
  const covered = routesOf(first, third);
  expect(served(covered, 'other.test/c')).toBe('all');
  expect(covered.notes).toEqual([
    'Ingress shop/a defaultBackend is not used: Ingress shop/c has any host and prefix path / already',
  ]);
});

test('a rule without paths gives its host to the default backend', () => {
  const object = ingressOf({
    metadata: { name: 'a', namespace: 'b' },
    spec: { rules: [{ host: 'a.test' }], defaultBackend: backend('left') },
  })!;
  const other = ingress({ name: 'z', namespace: 'b', rules: [['', ['Prefix', '/x', 'other']]] });
  expect(served(routesOf(object, other), 'a.test/x')).toBe('left');
});

test('of two for the same host and path the older one counts, then namespace and name', () => {
  const to = (service: string): NonNullable<Wanted['rules']> => [
    ['a.test', ['Prefix', '/x/', service]],
  ];
  const young = ingress({ name: 'a', created: '2026-03-01T00:00:00Z', rules: to('young') });
  const old = ingress({ name: 'z', created: '2026-02-01T00:00:00Z', rules: to('old') });
  const twin = ingress({ name: 'y', created: '2026-02-01T00:00:00Z', rules: to('twin') });
  expect(served(routesOf(young, old), 'a.test/x')).toBe('old');
  expect(served(routesOf(young, old, twin), 'a.test/x')).toBe('twin');
  expect(routesOf(young, old).notes).toEqual([
    'Ingress shop/a rules[0].paths[0] is not used: Ingress shop/z has a.test and prefix path /x already',
  ]);
});

test('backends become target groups: by the name or the number of a port, shared by those that have the same', () => {
  const object = ingressOf({
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      rules: [
        {
          http: {
            paths: [
              { path: '/named', pathType: 'Prefix', backend: backend('orders') },
              { path: '/number', pathType: 'Prefix', backend: backend('orders', { number: 80 }) },
              { path: '/only', pathType: 'Prefix', backend: backend('stock', { number: 8080 }) },
              { path: '/absent', pathType: 'Prefix', backend: backend('nobody', { number: 1 }) },
            ],
          },
        },
      ],
    },
  })!;
  const ports: Record<string, string> = { 'orders 80': 'http', 'stock 8080': '' };
  const { targetGroups, rules } = rulesOfIngresses([object], ({ service, namespace }, number) =>
    namespace === 'shop' ? ports[`${service} ${number}`] : '',
  );
  expect(rules.map(({ targetGroup }) => targetGroup)).toEqual([
    'ingress/shop/orders:http',
    'ingress/shop/orders:http',
    'ingress/shop/stock',
    'ingress/shop/nobody:1',
  ]);
  const places = Object.entries(targetGroups).map(([name, { service, namespace, port }]) => {
    return [name, namespace, service, port];
  });
  expect(places).toEqual([
    ['ingress/shop/orders:http', 'shop', 'orders', 'http'],
    ['ingress/shop/stock', 'shop', 'stock', undefined],
    ['ingress/shop/nobody:1', 'shop', 'nobody', '1'],
  ]);
});

test('what no request can match is told, and the rest routes', () => {
  const routes = routesOf(
    ingress({
      rules: [
        [
          '',
          ['Prefix', '/a%2fb', 's'],
          ['ImplementationSpecific', 'x', 's'],
          ['Exact', '/a?b', 's'],
        ],
        ['', ['Prefix', '/ok', 's']],
      ],
    }),
  );
  expect(served(routes, 'a.test/ok')).toBe('s');
  expect(routes.rules).toHaveLength(1);
  expect(routes.notes).toEqual([
    'Ingress shop/web rules[0].paths[0] is not used: no path of a request is like "/a%2fb"',
    'Ingress shop/web rules[0].paths[1] is not used: no path of a request is like "x"',
    expect.stringContaining('Ingress shop/web rules[0].paths[2] is not used: path.exact: '),
  ]);
});

test('a backend that is no service is told, and the rest routes', () => {
  const resource = { kind: 'Bucket', name: 'pictures' };
  const object = ingressOf({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      defaultBackend: { resource },
      rules: [
        {
          http: {
            paths: [
              { pathType: 'Prefix', path: '/pictures', backend: { resource } },
              { pathType: 'Prefix', path: '/shop', backend: backend('shop') },
            ],
          },
        },
      ],
    },
  });
  const routes = routesOf(object!);
  expect(served(routes, 'a.test/shop')).toBe('shop');
  expect(served(routes, 'a.test/pictures')).toBe('-');
  expect(routes.notes).toEqual([
    'Ingress shop/web rules[0].paths[0] is not used: only services are backends',
    'Ingress shop/web defaultBackend is not used: only services are backends',
  ]);
});
