import { afterAll, beforeAll, expect, test } from 'vitest';
import { NGINX } from '../testing/manifests.ts';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
  await cli.apply(NGINX);
  for (const [i, id] of ['a', 'b', 'c', 'd'].entries())
    await cli.register(`nginx/${id}`, 3001 + i, { address: `127.0.0.${i + 1}` });
  await cli.register('plain/a', 4001, { address: '127.0.0.9' });
});
afterAll(() => cli.close());

const backend = (name: string, port: object) => ({ service: { name, port } });

const apply = (name: string, spec: object, metadata: object = {}) =>
  cli.apply(
    JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, ...metadata },
      spec,
    }),
  );

test('rules with the endpoints of their backends, addresses, TLS, and its own events', async () => {
  const path = (text: string, to: object) => ({ path: text, pathType: 'Prefix', backend: to });
  await apply(
    'shop',
    {
      ingressClassName: 'rollcall',
      defaultBackend: backend('plain', { name: 'http' }),
      tls: [{ hosts: ['shop.test', 'www.shop.test'], secretName: 'own' }, { hosts: ['b.test'] }],
      rules: [
        {
          host: 'shop.test',
          http: {
            paths: [
              path('/orders', backend('nginx', { number: 8080 })),
              path('/', backend('nope', { number: 1 })),
            ],
          },
        },
        { http: { paths: [path('/wrong', backend('nginx', { number: 9 }))] } },
      ],
    },
    { labels: { app: 'shop', tier: 'web' }, annotations: { a: 'b' } },
  );
  const params = { ns: 'default', ingress: 'shop', reporter: 'lb' };
  const body = { loadBalancer: [{ ip: '127.0.0.8' }, { hostname: 'lb.test' }] };
  await cli.rollcall.call('putIngressReport', { params, body });
  const expected = `Name:             shop
Labels:           app=shop
                  tier=web
Namespace:        default
Address:          127.0.0.8,lb.test
Ingress Class:    rollcall
Default backend:  plain:http (127.0.0.9:4001)
TLS:
  own terminates shop.test,www.shop.test
  SNI routes b.test
Rules:
  Host        Path  Backends
  ----        ----  --------
  shop.test
              /orders   nginx:8080 (127.0.0.1:3001,127.0.0.2:3002,127.0.0.3:3003 + 1 more...)
              /         nope:1 (<error: services "nope" not found>)
  *
              /wrong   nginx:9 (<none>)
Annotations:  a: b
`;
  const text = await cli.out('describe', 'ingress', 'shop');
  expect(text.slice(0, text.indexOf('Events:'))).toBe(expected);
  expect(text).toContain(' Created  ');
  expect(text).toContain('Ingress shop: lb: reached at 127.0.0.8; reached at lb.test');
});

test('without rules all is for the default backend', async () => {
  await apply('all', { defaultBackend: backend('plain', { number: 4001 }) });
  const text = await cli.out('describe', 'ing/all');
  expect(text.slice(0, text.indexOf('Events:'))).toBe(`Name:             all
Labels:           <none>
Namespace:        default
Address:
Ingress Class:    <none>
Default backend:  plain:4001 (127.0.0.9:4001)
Rules:
  Host        Path  Backends
  ----        ----  --------
  *           *     plain:4001 (127.0.0.9:4001)
Annotations:  <none>
`);
});

test('a backend that is another object than a service is named', async () => {
  const bucket = { kind: 'Bucket', name: 'pictures' };
  await apply('buckets', {
    defaultBackend: { resource: bucket },
    rules: [
      {
        http: {
          paths: [
            {
              path: '/a',
              pathType: 'Prefix',
              backend: { resource: { ...bucket, apiGroup: 'store.test' } },
            },
          ],
        },
      },
    ],
  });
  const text = await cli.out('describe', 'ing/buckets');
  expect(text).toContain('Default backend:  APIGroup: <none>, Kind: Bucket, Name: pictures\n');
  expect(text).toMatch(/ {3}\/a +APIGroup: store\.test, Kind: Bucket, Name: pictures\n/);
});

test('a path that Kubernetes refuses is refused, with its line', async () => {
  const file = cli.file(
    'bad.yaml',
    [
      'apiVersion: networking.k8s.io/v1',
      'kind: Ingress',
      'metadata: { name: bad }',
      'spec:',
      '  rules:',
      '    - host: 127.0.0.1',
      '      http:',
      '        paths:',
      '          - path: /a/../b',
      '            pathType: Prefix',
      '            backend: { service: { name: a, port: { number: 80 } } }',
    ].join('\n'),
  );
  const { code, err } = await cli.run('apply', '-f', file);
  expect(code).toBe(1);
  expect(err).toContain(
    'spec.rules[0].host: Invalid value: "127.0.0.1": must be a DNS name, not an IP address',
  );
  expect(err).toContain(
    `spec.rules[0].http.paths[0].path: Invalid value: "/a/../b": must not contain '/../'`,
  );
  expect(err).toContain('bad.yaml:9');
});

test('a class: its controller and parameters', async () => {
  const ingressClass = (name: string, spec: object) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name },
    spec,
  });
  const parameters = { apiGroup: 'a.test', kind: 'Settings', name: 'all', scope: 'Cluster' };
  await cli.apply(
    [
      ingressClass('plain', { controller: 'rollcall.dev/ingress' }),
      ingressClass('tuned', { controller: 'else.test/x', parameters }),
    ]
      .map((one) => JSON.stringify(one))
      .join('\n---\n'),
  );
  expect(await cli.out('get', 'ingressclass', '-A')).toBe(
    `NAME    CONTROLLER             PARAMETERS            AGE
plain   rollcall.dev/ingress   <none>                20m
tuned   else.test/x            Settings.a.test/all   20m
`,
  );
  const text = await cli.out('describe', 'ingressclass', 'tuned');
  expect(text.slice(0, text.indexOf('Events:'))).toBe(`Name:         tuned
Labels:       <none>
Annotations:  <none>
Controller:   else.test/x
Parameters:
  APIGroup:  a.test
  Kind:      Settings
  Name:      all
`);
  expect(text).toContain('IngressClass tuned was declared');
  expect(await cli.out('get', 'ingressclass', 'plain', '-o', 'yaml')).not.toContain('namespace');
  expect(await cli.out('get', 'events', '-n', 'default')).toContain('ingressclass/tuned');
  expect(await cli.out('delete', 'ingressclass', 'plain', '-n', 'shop')).toContain(
    'ingressclass.networking.k8s.io "plain" deleted',
  );
});
