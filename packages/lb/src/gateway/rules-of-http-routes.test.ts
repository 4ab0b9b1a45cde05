import type { RequestView } from '@rollcall/dataplane';
import { expect, test } from 'vitest';
import { conditionsOf } from '../matching/conditions.ts';
import { normalPath } from '../matching/normal-path.ts';
import { pathPattern } from '../matching/path-pattern.ts';
import { RuleTable } from '../matching/rule-table.ts';
import { httpRouteOf } from './http-route-object.ts';
import { type HttpRoutes, rulesOfHttpRoutes } from './rules-of-http-routes.ts';

interface Wanted {
  readonly name?: string;
  readonly created?: string;
  readonly parentRefs?: readonly object[];
  readonly hostnames?: readonly string[];
  readonly rules: readonly object[];
}

function route({ name = 'web', created = '2026-01-01T00:00:00Z', ...spec }: Wanted) {
  const parentRefs = [{ name: 'rollcall' }];
  return httpRouteOf({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'shop', creationTimestamp: created },
    spec: { parentRefs, ...spec },
  })!;
}

const to = (name: string, more: object = {}) => ({ name, port: 80, ...more });
const routesOf = (...all: Wanted[]) => rulesOfHttpRoutes(all.map(route), 'rollcall', () => 'web');

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a request gets: the service, a status, or `-` for no rule. */
function answer(routes: HttpRoutes, url: string, { method = 'GET', headers = {} }: Asked = {}) {
  const { hostname: host, pathname, search } = new URL(`http://${url}`);
  const table = new RuleTable(
    routes.rules.map(({ rule }, index) => ({
      host: rule.host,
      hostDepth: rule.hostDepth,
      path: rule.path === undefined ? undefined : pathPattern(rule.path),
      conditions: conditionsOf(rule),
      priority: rule.priority,
      index,
      value: rule,
    })),
  );
  const request = {
    host,
    method,
    target: `${pathname}${search}`,
    field: (name: string) => headers[name],
  } as Partial<RequestView> as RequestView;
  const rule = table.find(request, normalPath(pathname)!);
  if (rule === undefined) return '-';
  if (rule.targetGroup !== undefined) return routes.targetGroups[rule.targetGroup]!.service;
  return rule.fixedResponse?.status ?? rule;
}

test('host, path, method, header and query, the most specific first', () => {
  const routes = routesOf({
    hostnames: ['shop.test', '*.shop.test'],
    rules: [
      { matches: [{}], backendRefs: [to('all')] },
      { matches: [{ path: { value: '/api' } }], backendRefs: [to('api')] },
      { matches: [{ path: { type: 'Exact', value: '/api/v1' } }], backendRefs: [to('one')] },
      { matches: [{ path: { value: '/api' }, method: 'POST' }], backendRefs: [to('write')] },
      {
        matches: [
          { path: { value: '/api' }, headers: [{ name: 'X-Env', value: 'test' }] },
          {
            path: { value: '/api' },
            queryParams: [{ type: 'RegularExpression', name: 'env', value: 't.*' }],
          },
        ],
        backendRefs: [to('tried')],
      },
      {
        matches: [{ path: { type: 'RegularExpression', value: '/img/.+\\.png' } }],
        backendRefs: [to('images')],
      },
    ],
  });
  expect(routes.notes).toEqual([]);
  const asked: [string, Asked, string][] = [
    ['shop.test/', {}, 'all'],
    ['a.b.shop.test/x', {}, 'all'],
    ['other.test/', {}, '-'],
    ['shop.test/api', {}, 'api'],
    ['shop.test/apix', {}, 'all'],
    ['shop.test/api/v1', {}, 'one'],
    ['shop.test/api/v1/', {}, 'api'],
    ['shop.test/api/x', { method: 'POST' }, 'write'],
    ['shop.test/api', { headers: { 'x-env': 'test' } }, 'tried'],
    ['shop.test/api', { headers: { 'x-env': 'Test' } }, 'api'],
    ['shop.test/api?env=trial', {}, 'tried'],
    ['shop.test/img/a/b.png', {}, 'images'],
    ['shop.test/img/.png', {}, 'all'],
  ];
  for (const [url, more, service] of asked)
    expect([url, answer(routes, url, more)]).toEqual([url, service]);
});

test('weights of several backends, those of the same one added', () => {
  const { rules, targetGroups } = routesOf({
    rules: [{ matches: [{}], backendRefs: [to('a', { weight: 90 }), to('b'), to('a')] }],
  });
  expect(rules[0]!.rule.forward).toEqual([
    { targetGroup: 'httproute/shop/a:web', weight: 91 },
    { targetGroup: 'httproute/shop/b:web', weight: 1 },
  ]);
  expect(targetGroups['httproute/shop/b:web']).toMatchObject({ service: 'b', namespace: 'shop' });
});

test('filters', () => {
  const { rules, notes } = routesOf({
    rules: [
      {
        matches: [{ path: { value: '/old' } }],
        filters: [
          {
            type: 'RequestRedirect',
            requestRedirect: { scheme: 'https', path: { replacePrefixMatch: '/new' } },
          },
        ],
      },
      {
        matches: [{ path: { value: '/api' } }],
        filters: [
          {
            type: 'URLRewrite',
            urlRewrite: { hostname: 'in.test', path: { replacePrefixMatch: '' } },
          },
          {
            type: 'RequestHeaderModifier',
            requestHeaderModifier: {
              set: [{ name: 'X-A', value: '1' }],
              add: [{ name: 'X-B', value: '2' }],
              remove: ['X-C'],
            },
          },
        ],
        backendRefs: [to('a')],
      },
    ],
  });
  expect(notes).toEqual([]);
  expect(rules[0]!.rule.redirect).toMatchObject({
    scheme: 'https',
    port: 443,
    prefix: '/new',
    status: 302,
  });
  expect(rules[1]!.rule).toMatchObject({
    rewrite: { host: 'in.test', prefix: '/' },
    requestHeaders: { set: { 'X-A': '1' }, add: { 'X-B': '2' }, remove: ['X-C'] },
  });
});

test('what cannot be done is answered with 500, and said', () => {
  const routes = routesOf({
    rules: [
      { matches: [{ path: { value: '/none' } }] },
      { matches: [{ path: { value: '/zero' } }], backendRefs: [to('a', { weight: 0 })] },
      { matches: [{ path: { value: '/kind' } }], backendRefs: [to('a', { kind: 'Bucket' })] },
      { matches: [{ path: { value: '/far' } }], backendRefs: [to('a', { namespace: 'other' })] },
      {
        matches: [{ path: { value: '/mirror' } }],
        filters: [{ type: 'RequestMirror', requestMirror: {} }],
        backendRefs: [to('a')],
      },
    ],
  });
  for (const path of ['none', 'zero', 'kind', 'far', 'mirror'])
    expect(answer(routes, `shop.test/${path}`)).toBe(500);
  expect(routes.notes).toEqual([
    'HTTPRoute shop/web rules[0] answers 500: it has no backend that gets requests',
    'HTTPRoute shop/web rules[1] answers 500: it has no backend that gets requests',
    'HTTPRoute shop/web rules[2].backendRefs[0] is not used: only services are backends, not Bucket',
    'HTTPRoute shop/web rules[2] answers 500: it has no backend that gets requests',
    'HTTPRoute shop/web rules[3].backendRefs[0] is not used: a backend is in the namespace of its route',
    'HTTPRoute shop/web rules[3] answers 500: it has no backend that gets requests',
    'HTTPRoute shop/web rules[4] answers 500: there is no filter RequestMirror here',
  ]);
});

test('of two routes the older one counts; one for another gateway or listener does not', () => {
  const rules = (name: string) => [{ matches: [{}], backendRefs: [to(name)] }];
  const routes = routesOf(
    { name: 'new', created: '2026-02-01T00:00:00Z', rules: rules('new') },
    { name: 'old', rules: rules('old') },
    { name: 'other', parentRefs: [{ name: 'other' }], rules: rules('other') },
    { name: 'class', parentRefs: [{ kind: 'Service', name: 'rollcall' }], rules: rules('class') },
    {
      name: 'section',
      parentRefs: [{ name: 'rollcall', sectionName: 'inner' }],
      rules: rules('section'),
    },
  );
  expect(routes.rules.map(({ rule, sections }) => [rule.name, sections])).toEqual([
    ['httproute shop/old rules[0].matches[0]', 'all'],
    ['httproute shop/section rules[0].matches[0]', new Set(['inner'])],
    ['httproute shop/new rules[0].matches[0]', 'all'],
  ]);
  expect(answer(routes, 'any.test/')).toBe('old');
});
