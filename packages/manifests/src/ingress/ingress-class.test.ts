import { expect, test } from 'vitest';
import { textOf } from '../meta/field-error.ts';
import { examine } from '../reading/kinds.ts';
import { IngressClass, validateIngressClassUpdate } from './ingress-class.ts';

const ingressClass = (spec: object, name = 'web') =>
  IngressClass.parse({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name },
    spec,
  });

const faultsOf = (spec: object, name?: string) =>
  examine(ingressClass(spec, name)).faults.map(textOf);

const PREFIXED = 'must be a domain-prefixed path (such as "acme.io/foo")';

test.each<[string, string[]]>([
  ['rollcall.dev/ingress', []],
  ['a/b/c?', ['"b/c?": Invalid path']],
  ['a', [`"a": ${PREFIXED}`]],
  ['/a', [`"/a": ${PREFIXED}`]],
  ['a/', [`"a/": ${PREFIXED}`]],
  ['A.b/c', ['"A.b": a lowercase RFC 1123 subdomain']],
])('the controller %j', (controller, expected) => {
  const found = faultsOf({ controller });
  expect(found).toHaveLength(expected.length);
  for (const [i, fault] of expected.entries())
    expect(found[i]).toContain(`spec.controller: Invalid value: ${fault}`);
});

test('a controller is needed, and not a long one', () => {
  expect(faultsOf({})).toEqual(['spec.controller: Required value']);
  expect(faultsOf({ controller: '' })).toEqual(['spec.controller: Required value']);
  expect(faultsOf({ controller: `a/${'b'.repeat(248)}` })).toEqual([]);
  expect(faultsOf({ controller: `a/${'b'.repeat(249)}` })).toEqual([
    'spec.controller: Too long: may not be more than 250 bytes',
  ]);
});

test.each<[object, string[]]>([
  [{ kind: 'Settings', name: 'a', scope: 'Cluster' }, []],
  [{ apiGroup: 'a.test', kind: 'Settings', name: 'a', scope: 'Namespace', namespace: 'b' }, []],
  [{}, ['kind: Required value: kind is required', 'name: Required value: name is required']],
  [
    { kind: 'a', name: 'b', namespace: 'c' },
    ["namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
  ],
  [
    { kind: '..', name: 'a/%', scope: 'Cluster' },
    [
      `kind: Invalid value: "..": may not be '..'`,
      `name: Invalid value: "a/%": may not contain '/'`,
      `name: Invalid value: "a/%": may not contain '%'`,
    ],
  ],
  [
    { kind: 'a', name: 'b', scope: 'Namespace' },
    ["namespace: Required value: `parameters.scope` is set to 'Namespace'"],
  ],
  [
    { kind: 'a', name: 'b', scope: 'Cluster', namespace: 'c' },
    ["namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
  ],
  [
    { kind: 'a', name: 'b', scope: 'cluster' },
    ['scope: Unsupported value: "cluster": supported values: "Cluster", "Namespace"'],
  ],
])('parameters %j', (parameters, expected) => {
  expect(faultsOf({ controller: 'a/b', parameters })).toEqual(
    expected.map((fault) => `spec.parameters.${fault}`),
  );
});

test('parameters are of the whole cluster, unless they say otherwise', () => {
  const scopeOf = (parameters?: object) =>
    examine(ingressClass({ controller: 'a/b', parameters })).manifest.spec?.parameters?.scope;
  expect(scopeOf({ kind: 'a', name: 'b' })).toBe('Cluster');
  expect(scopeOf({ kind: 'a', name: 'b', scope: 'Namespace', namespace: 'c' })).toBe('Namespace');
  expect(scopeOf()).toBeUndefined();
});

test('its name, and what may not change', () => {
  expect(faultsOf({ controller: 'a/b' }, 'A')[0]).toMatch(/^metadata.name: Invalid value: "A"/);
  const before = ingressClass({ controller: 'a/b' });
  expect(validateIngressClassUpdate(before, before)).toEqual([]);
  const other = ingressClass({ controller: 'a/c' });
  expect(validateIngressClassUpdate(before, other).map(textOf)).toEqual([
    'spec.controller: Invalid value: "a/c": field is immutable',
  ]);
});
