import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCli } from '../testing/test-cli.ts';

let cli: TestCli;

beforeAll(async () => {
  cli = await TestCli.start();
});
afterAll(() => cli.close());

const ROUTE = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
  labels: {team: web}
spec:
  parentRefs: [{name: front}]
  rules:
    - backendRefs: [{name: carts, port: 80}, {name: old, port: 8080, weight: 0}]
`;

test('a route is shown field by field: words apart, values aligned, and its events', async () => {
  await cli.apply(ROUTE);
  const page = await cli.out('describe', 'httproute', 'shop');
  expect(page).toMatch(
    /^Name: +shop\nNamespace: +default\nLabels: +team=web\nAnnotations: +<none>\n/,
  );
  expect(page).toMatch(
    /^API Version: +gateway.networking.k8s.io\/v1\nKind: +HTTPRoute\nMetadata:\n/m,
  );
  expect(page).toMatch(/^ {2}UID: +[-0-9a-f]{36}$/m);
  const spec = page.slice(page.indexOf('Spec:'), page.indexOf('Events:'));
  expect(spec).toBe(`Spec:
  Parent Refs:
    Group:  gateway.networking.k8s.io
    Kind:   Gateway
    Name:   front
  Rules:
    Backend Refs:
      Group:
      Kind:    Service
      Name:    carts
      Port:    80
      Weight:  1
      Group:
      Kind:    Service
      Name:    old
      Port:    8080
      Weight:  0
    Matches:
      Path:
        Type:   PathPrefix
        Value:  /
`);
  expect(page).toMatch(/Normal +Created +20m +registry +HTTPRoute shop was declared\n$/);
  expect(await cli.out('describe', 'httproute', 'shop', '--show-events=false')).not.toContain(
    'Events',
  );
});

test('the column of host names is empty without any', async () => {
  await cli.apply(ROUTE.replace('name: shop', 'name: bare'));
  await cli.apply(
    ROUTE.replace('spec:', 'spec:\n  hostnames: [a.example]').replace('name: shop', 'name: named'),
  );
  expect(await cli.out('get', 'httproute', 'bare', '--no-headers')).toMatch(/^bare +20m\n$/);
  expect(await cli.out('get', 'httproute', 'named', '--no-headers')).toMatch(
    /^named +\["a.example"\] +20m\n$/,
  );
});

test('a namespace has a page without a namespace', async () => {
  expect(await cli.out('describe', 'ns', 'default')).toBe(
    'Name:         default\nLabels:       kubernetes.io/metadata.name=default\nAnnotations:  <none>\nStatus:       Active\n',
  );
});
