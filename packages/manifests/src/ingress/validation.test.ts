import { expect, test } from 'vitest';
import { textOf } from '../meta/field-error.ts';
import { Ingress } from './ingress.ts';
import { validateIngress, validateNewIngress } from './validation.ts';

const BACKEND = { service: { name: 'web', port: { number: 80 } } };

const ingress = (spec: object, metadata: object = {}) =>
  Ingress.parse({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', ...metadata },
    spec,
  });

const faultsOf = (spec: object) => validateIngress(ingress(spec)).map(textOf);

const rules = (path: object, host = 'shop.test') => ({
  rules: [{ host, http: { paths: [{ pathType: 'Prefix', backend: BACKEND, ...path }] } }],
});

const PATH = 'spec.rules[0].http.paths[0]';
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const WILDCARD =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

test.each<[string, string[]]>([
  ['/foo', []],
  ['/', []],
  ['/foo/', []],
  ['/..foo/.x', []],
  ['/%20', []],
  ['', ['"": must be an absolute path']],
  ['foo', ['"foo": must be an absolute path']],
  ['/foo//bar', [`"/foo//bar": must not contain '//'`]],
  ['/foo/./bar', [`"/foo/./bar": must not contain '/./'`]],
  ['/foo/../bar', [`"/foo/../bar": must not contain '/../'`]],
  ['/foo%2fbar', [`"/foo%2fbar": must not contain '%2f'`]],
  ['/foo%2Fbar', [`"/foo%2Fbar": must not contain '%2F'`]],
  ['/foo/..', [`"/foo/..": cannot end with '/..'`]],
  ['/foo/.', [`"/foo/.": cannot end with '/.'`]],
  ['//.', [`"//.": must not contain '//'`, `"//.": cannot end with '/.'`]],
])('the path %j', (path, expected) => {
  const faults = expected.map((fault) => `${PATH}.path: Invalid value: ${fault}`);
  expect(faultsOf(rules({ path }))).toEqual(faults);
  expect(faultsOf(rules({ path, pathType: 'Exact' }))).toEqual(faults);
});

test.each([
  ['', []],
  ['/a//b/%2f/..', []],
  ['a', [`${PATH}.path: Invalid value: "a": must be an absolute path`]],
])('the path %j that means what the balancer makes of it', (path, expected) => {
  expect(faultsOf(rules({ path, pathType: 'ImplementationSpecific' }))).toEqual(expected);
});

test('the type of a path', () => {
  expect(faultsOf(rules({ path: '/', pathType: undefined, backend: {} }))).toEqual([
    `${PATH}.pathType: Required value: pathType must be specified`,
  ]);
  expect(faultsOf(rules({ path: '/', pathType: 'prefix' }))).toEqual([
    `${PATH}.pathType: Unsupported value: "prefix": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
  ]);
});

test.each<[string, string[]]>([
  ['', []],
  ['shop.test', []],
  ['*.shop.test', []],
  ['127.0.0.1', ['must be a DNS name, not an IP address']],
  ['127.000.000.001', ['must be a DNS name, not an IP address']],
  ['::1', ['must be a DNS name, not an IP address', SUBDOMAIN]],
  ['256.0.0.1', []],
  ['Shop.test', [SUBDOMAIN]],
  ['shop.test:80', [SUBDOMAIN]],
  ['*', [WILDCARD]],
  ['*shop.test', [WILDCARD]],
  ['*.*.test', [WILDCARD]],
  ['a.*.test', [WILDCARD]],
  [`*.${'a'.repeat(60)}.${'b'.repeat(200)}`, ['must be no more than 253 characters']],
])('the host %j', (host, expected) => {
  const faults = expected.map(
    (fault) => `spec.rules[0].host: Invalid value: ${JSON.stringify(host)}: ${fault}`,
  );
  expect(faultsOf(rules({ path: '/' }, host))).toEqual(faults);
});

test.each<[object, string[]]>([
  [{}, []],
  [{ hosts: ['a.test', '*.b.test'], secretName: 'own.cert' }, []],
  [{ hosts: ['A.test'] }, [`spec.tls[0].hosts[0]: Invalid value: "A.test": ${SUBDOMAIN}`]],
  [{ hosts: ['a', '*'] }, [`spec.tls[0].hosts[1]: Invalid value: "*": ${WILDCARD}`]],
  [{ secretName: 'Own_Cert' }, [`spec.tls[0].secretName: Invalid value: "Own_Cert": ${SUBDOMAIN}`]],
])('tls %j', (tls, expected) => {
  expect(faultsOf({ defaultBackend: BACKEND, tls: [tls] })).toEqual(expected);
});

test.each(['', 'A', 'a_b', '-a'])('the class %j is refused', (ingressClassName) => {
  expect(faultsOf({ defaultBackend: BACKEND, ingressClassName })).toEqual([
    `spec.ingressClassName: Invalid value: ${JSON.stringify(ingressClassName)}: ${SUBDOMAIN}`,
  ]);
});

test.each<[object, string]>([
  [{}, ': Invalid value: "": resource or service backend is required'],
  [
    { ...BACKEND, resource: { kind: 'Bucket', name: 'a' } },
    ': Invalid value: "": cannot set both resource and service backends',
  ],
  [
    { resource: { apiGroup: 'Store', kind: 'Bucket', name: 'a' } },
    `.resource.apiGroup: Invalid value: "Store": ${SUBDOMAIN}`,
  ],
  [{ resource: { name: 'a' } }, '.resource.kind: Required value: kind is required'],
  [{ resource: { kind: 'Bucket' } }, '.resource.name: Required value: name is required'],
  [
    { resource: { kind: 'a/b', name: 'a' } },
    `.resource.kind: Invalid value: "a/b": may not contain '/'`,
  ],
  [{ service: { port: { number: 80 } } }, '.service.name: Required value'],
  [{ service: { name: 'a' } }, ': Required value: port name or number is required'],
  [
    { service: { name: 'a', port: { name: '', number: 0 } } },
    ': Required value: port name or number is required',
  ],
  [
    { service: { name: 'a', port: { name: 'b', number: 80 } } },
    ': Invalid value: "": cannot set both port name & port number',
  ],
  [
    { service: { name: 'a', port: { number: 70_000 } } },
    '.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive',
  ],
  [
    { service: { name: 'a', port: { name: 'WEB' } } },
    '.service.port.name: Invalid value: "WEB": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
  ],
])('the backend %j', (backend, expected) => {
  // A name of capitals has no letter of a to z either.
  expect(faultsOf({ defaultBackend: backend })[0]).toBe(`spec.defaultBackend${expected}`);
  expect(faultsOf(rules({ path: '/', backend }))[0]).toBe(`${PATH}.backend${expected}`);
});

test('a backend may be an object of any kind', () => {
  const backend = { resource: { apiGroup: 'store.test', kind: 'Bucket', name: 'a' } };
  expect(faultsOf({ defaultBackend: backend })).toEqual([]);
  expect(faultsOf(rules({ path: '/', backend }))).toEqual([]);
  expect(() =>
    ingress({ defaultBackend: { resource: { ...backend.resource, nome: 'a' } } }),
  ).toThrow('nome');
});

test('neither rules nor a default backend, and rules without paths', () => {
  expect(faultsOf({})).toEqual([
    'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  ]);
  expect(faultsOf({ rules: [] })).toEqual([
    'spec: Invalid value: []: either `defaultBackend` or `rules` must be specified',
  ]);
  expect(faultsOf({ rules: [{ http: { paths: [] } }] })).toEqual([
    'spec.rules[0].http.paths: Required value',
  ]);
});

test('the class in the annotation and in the spec, when it is created', () => {
  const annotations = { 'kubernetes.io/ingress.class': 'other' };
  const faults = (spec: object) =>
    validateNewIngress(ingress({ defaultBackend: BACKEND, ...spec }, { annotations })).map(textOf);
  expect(faults({})).toEqual([]);
  expect(faults({ ingressClassName: 'other' })).toEqual([]);
  expect(faults({ ingressClassName: 'rollcall' })).toEqual([
    'annotations.kubernetes.io/ingress.class: Invalid value: "other": must match `ingressClassName` when both are specified',
  ]);
});
