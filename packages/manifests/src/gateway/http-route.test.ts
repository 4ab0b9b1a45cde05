import { expect, test } from 'vitest';
import { readManifests } from '../reading/read.ts';
import { examine } from '../reading/kinds.ts';
import { HTTPRoute } from './http-route.ts';

const given = (spec: object) =>
  HTTPRoute.parse({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'shop' },
    spec,
  });

const faultsOf = (spec: object) =>
  examine(given(spec)).faults.map(({ field, message }) => `${field}: ${message}`);

const rule = (parts: object) => ({ rules: [{ backendRefs: [{ name: 'a', port: 80 }], ...parts }] });
const path = (value: string, type = 'PathPrefix') => rule({ matches: [{ path: { type, value } }] });

test('what is left out is filled in', () => {
  const { manifest, faults } = examine(
    given({
      parentRefs: [{ name: 'rollcall' }],
      rules: [
        {
          matches: [{ headers: [{ name: 'x-a', value: '1' }] }],
          backendRefs: [{ name: 'a', port: 80 }],
        },
        { filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https' } }] },
      ],
    }),
  );
  expect(faults).toEqual([]);
  expect(manifest.spec).toEqual({
    parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'rollcall' }],
    rules: [
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: '/' },
            headers: [{ type: 'Exact', name: 'x-a', value: '1' }],
          },
        ],
        backendRefs: [{ group: '', kind: 'Service', name: 'a', port: 80, weight: 1 }],
      },
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        filters: [
          { type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 302 } },
        ],
      },
    ],
  });
  expect(examine(manifest).manifest).toEqual(manifest);
});

const absolute = "value must be an absolute path and start with '/'";
const PLAIN = " when type one of ['Exact', 'PathPrefix']";

test.each([
  [
    'a path that is none',
    path('x'),
    [`spec.rules[0].matches[0].path: Invalid value: "object": ${absolute}${PLAIN}`],
  ],
  [
    'an encoded slash',
    path('/a%2Fb', 'Exact'),
    [`spec.rules[0].matches[0].path: Invalid value: "object": must not contain '%2F'${PLAIN}`],
  ],
  [
    'a path that climbs',
    path('/a/..'),
    [`spec.rules[0].matches[0].path: Invalid value: "object": must not end with '/..'${PLAIN}`],
  ],
  ['a regular expression', path('.*', 'RegularExpression'), []],
  [
    'another type of path',
    path('/', 'Prefix'),
    [
      'spec.rules[0].matches[0].path.type: Unsupported value: "Prefix": supported values: "Exact", "PathPrefix", "RegularExpression"',
    ],
  ],
  [
    'another method',
    rule({ matches: [{ method: 'get' }] }),
    [
      'spec.rules[0].matches[0].method: Unsupported value: "get": supported values: "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"',
    ],
  ],
  [
    'an address as host',
    { hostnames: ['10.0.0.1'] },
    ['spec.hostnames[0]: Invalid value: "10.0.0.1": must be a host name, not an IP address'],
  ],
  ['a wildcard', { hostnames: ['*.shop.test'] }, []],
  [
    'a service without port',
    rule({ backendRefs: [{ name: 'a' }] }),
    ['spec.rules[0].backendRefs[0]: Invalid value: "object": Must have port for Service reference'],
  ],
  [
    'a heavy backend',
    rule({ backendRefs: [{ name: 'a', port: 80, weight: 1_000_001 }] }),
    [
      'spec.rules[0].backendRefs[0].weight: Invalid value: 1000001: must be between 0 and 1000000, inclusive',
    ],
  ],
  ['a parent without name', { parentRefs: [{}] }, ['spec.parentRefs[0].name: Required value']],
  [
    'a redirect with backends',
    rule({ filters: [{ type: 'RequestRedirect', requestRedirect: {} }] }),
    [
      'spec.rules[0]: Invalid value: "object": RequestRedirect filter must not be used together with backendRefs',
    ],
  ],
  [
    'a filter without settings',
    rule({ filters: [{ type: 'URLRewrite' }] }),
    [
      'spec.rules[0].filters[0]: Invalid value: "object": filter.urlRewrite must be specified for URLRewrite filter.type',
    ],
  ],
  [
    'a filter twice',
    rule({ filters: Array.from({ length: 2 }, () => ({ type: 'URLRewrite', urlRewrite: {} })) }),
    ['spec.rules[0].filters: Invalid value: "array": URLRewrite filter cannot be repeated'],
  ],
  [
    'a prefix replaced in an exact path',
    rule({
      matches: [{ path: { type: 'Exact', value: '/a' } }],
      filters: [
        {
          type: 'URLRewrite',
          urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
        },
      ],
    }),
    [
      'spec.rules[0].filters[0].urlRewrite.path: Invalid value: "object": When using path.replacePrefixMatch, exactly one PathPrefix match must be specified',
    ],
  ],
  [
    'a time that is none',
    rule({ timeouts: { request: '5 s' } }),
    [
      'spec.rules[0].timeouts.request: Invalid value: "5 s": spec.rules.timeouts.request in body should match \'^([0-9]{1,5}(h|m|s|ms)){1,4}$\'',
    ],
  ],
  [
    'too many rules',
    { rules: Array.from({ length: 17 }, () => ({})) },
    ['spec.rules: Invalid value: 17: must have at most 16 items'],
  ],
])('%s', (_what, spec, faults) => {
  expect(faultsOf(spec)).toEqual(faults);
});

test('an unknown field is named, with its line', () => {
  const text = [
    'apiVersion: gateway.networking.k8s.io/v1',
    'kind: HTTPRoute',
    'metadata: { name: web }',
    'spec:',
    '  hostname: shop.test',
  ].join('\n');
  const { manifests, faults: outside } = readManifests(text);
  const faults = [...outside, ...manifests.flatMap((one) => one.faults)];
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatchObject({ line: 5 });
  expect(faults[0]!.message).toContain('spec.hostname');
});
