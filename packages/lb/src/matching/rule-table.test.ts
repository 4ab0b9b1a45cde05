import type { RequestView } from '@rollcall/dataplane';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conditionsOf, type Wishes } from './conditions.ts';
import type { Entry } from './entry.ts';
import { type PathConfig, pathPattern } from './path-pattern.ts';
import { RuleTable } from './rule-table.ts';

interface Config extends Wishes {
  readonly host?: string | undefined;
  readonly hostDepth?: 'one' | 'any' | undefined;
  readonly path?: PathConfig | undefined;
  readonly priority?: number | undefined;
}

function tableOf(configs: readonly Config[]): RuleTable<number> {
  return new RuleTable(entriesOf(configs));
}

const entriesOf = (configs: readonly Config[]) =>
  configs.map((config, index): Entry<number> => ({
    host: config.host,
    hostDepth: config.hostDepth,
    path: pathPattern(config.path),
    conditions: conditionsOf(config),
    priority: config.priority,
    index,
    value: index,
  }));

function requestOf(
  host: string,
  path: string,
  method = 'GET',
  fields: Record<string, string> = {},
) {
  const field = (name: string) => fields[name];
  return {
    method,
    host,
    path,
    target: path,
    clientAddress: '',
    requestId: '',
    isSecure: false,
    rule: '',
    field,
  } satisfies RequestView;
}

test.each<[string, PathConfig, string, boolean]>([
  ['exact', { exact: '/a' }, '/a', true],
  ['exact', { exact: '/a' }, '/a/', false],
  ['prefix', { prefix: '/a' }, '/a/b', true],
  ['prefix', { prefix: '/a/' }, '/a', true],
  ['prefix', { prefix: '/a' }, '/ab', false],
  ['prefix of all', { prefix: '/' }, '/x', true],
  ['glob', { glob: '/a/*/c' }, '/a/b/c', true],
  ['glob', { glob: '/a/*/c' }, '/a/b/b/c', false],
  ['glob', { glob: '/a/**/c' }, '/a/b/b/c', true],
  ['glob', { glob: '/a?c.(x)' }, '/abc.(x)', true],
  ['glob', { glob: '/a?c.(x)' }, '/a/c.(x)', false],
  ['regex', { regex: '/v[0-9]+/.*' }, '/v12/x', true],
  ['regex', { regex: '/v[0-9]+' }, '/v12/x', false],
  ['regex', { regex: '/ab?c' }, '/ac', true],
  ['regex', { regex: '/ab*' }, '/a', true],
  ['regex', { regex: '/ab{0,1}' }, '/a', true],
  ['regex', { regex: '/a|/b' }, '/b', true],
])('%s %j: %s %s', (_kind, config, path, matches) => {
  const found = tableOf([{ path: config }]).find(requestOf('a', path), path);
  expect(found).toBe(matches ? 0 : undefined);
});

test.each<[string, Config[], ReturnType<typeof requestOf>, number]>([
  [
    'the longer beginning first',
    [{ path: '/a/*' }, { path: { glob: '/a/b/*' } }, { path: { regex: '/a/b/c.*' } }],
    requestOf('h', '/a/b/cd'),
    2,
  ],
  [
    'a regular expression before a glob before a prefix',
    [{ path: { prefix: '/a/' } }, { path: { glob: '/a**' } }, { path: { regex: '/a.*' } }],
    requestOf('h', '/a/b'),
    2,
  ],
  [
    'more conditions first',
    [
      { path: '/a' },
      { path: '/a', methods: ['GET'] },
      { path: '/a', methods: ['GET'], headers: { x: '1' } },
    ],
    requestOf('h', '/a'),
    1,
  ],
  [
    'if no condition holds, the next less specific rule',
    [
      { path: '/*' },
      { path: '/a', methods: ['POST'] },
      { host: 'h', path: '/a', methods: ['PUT'] },
    ],
    requestOf('h', '/a'),
    0,
  ],
  [
    'a priority before everything else',
    [{ host: 'h', path: '/a' }, { priority: 7 }, { priority: 5, path: '/a/*' }],
    requestOf('h', '/a'),
    2,
  ],
  [
    'of the same priority the more specific one',
    [{ priority: 5 }, { priority: 5, path: '/a' }],
    requestOf('h', '/a'),
    1,
  ],
  [
    'a wildcard of one label leaves deeper hosts to the others',
    [{ host: '*.a.test', hostDepth: 'one', path: '/a' }, { host: '*.test' }],
    requestOf('c.b.a.test', '/a'),
    1,
  ],
  [
    'a wildcard of one label takes one label, by its path',
    [{ host: '*.a.test' }, { host: '*.a.test', hostDepth: 'one', path: '/a' }],
    requestOf('b.a.test', '/a'),
    1,
  ],
])('%s', (_name, configs, request, expected) => {
  expect(tableOf(configs).find(request, request.path)).toBe(expected);
});

/** The order of precedence as it is described, without any index. */
function plainly(entries: readonly Entry<number>[], request: RequestView): number | undefined {
  const hostRank = ({ host }: Entry<number>): number => {
    if (host === undefined) return 0;
    return host.startsWith('*.') ? host.length : 1_000;
  };
  const isHost = ({ host, hostDepth }: Entry<number>): boolean => {
    if (host === undefined || host === request.host) return true;
    if (!host.startsWith('*.') || !request.host.endsWith(host.slice(1))) return false;
    const labels = request.host.slice(0, 1 - host.length).split('.');
    return labels[0] !== '' && (hostDepth !== 'one' || labels.length === 1);
  };
  const pathRank = ({ path }: Entry<number>): number => {
    if (path === undefined) return -1;
    return path.kind === 'exact' ? 1_000 : path.literal.length;
  };
  return entries
    .filter(isHost)
    .filter(({ path }) => path === undefined || path.matches(request.path))
    .filter(({ conditions }) => conditions.every((one) => one.holds(request)))
    .toSorted(
      (a, b) =>
        (a.priority ?? Number.MAX_VALUE) - (b.priority ?? Number.MAX_VALUE) ||
        hostRank(b) - hostRank(a) ||
        pathRank(b) - pathRank(a) ||
        (a.path?.rank ?? 0) - (b.path?.rank ?? 0) ||
        b.conditions.length - a.conditions.length ||
        a.index - b.index,
    )[0]?.value;
}

const segment = fc.constantFrom('a', 'b', 'ab', 'c');
const plainPath = fc.array(segment, { maxLength: 4 }).map((all) => `/${all.join('/')}`);
const anyHost = fc.constantFrom('a.test', 'b.a.test', 'x.b.a.test', 'other');
const anyConfig = fc.record(
  {
    host: fc.constantFrom('a.test', '*.a.test', '*.test', '*.b.a.test'),
    hostDepth: fc.constantFrom('one' as const, 'any' as const),
    path: fc.oneof(
      plainPath,
      plainPath.map((path) => `${path === '/' ? '' : path}/*`),
      plainPath.map((prefix) => ({ prefix })),
      plainPath.map((path) => ({ glob: `${path}*` })),
      plainPath.map((path) => ({ glob: path.replaceAll('b', '**') })),
      plainPath.map((path) => ({ regex: path.replaceAll('a', '[ab]+') })),
      plainPath.map((path) => ({ regex: `${path}?.*` })),
    ),
    priority: fc.integer({ min: 1, max: 3 }),
    methods: fc.constantFrom(['GET'], ['POST'], ['GET', 'POST']),
    headers: fc.constantFrom({ x: '1' }, { x: { present: false } }, { x: { regex: '[12]' } }),
  },
  { requiredKeys: [] },
);
const anyRequest = fc
  .tuple(
    anyHost,
    plainPath,
    fc.constantFrom('GET', 'POST', 'PUT'),
    fc.constantFrom({}, { x: '1' }, { x: '3' }),
  )
  .map(([host, path, method, fields]) => requestOf(host, path, method, fields));

test('random rules choose what a plain reading of the order chooses', () => {
  const sets = fc.tuple(
    fc.array(anyConfig, { maxLength: 12 }),
    fc.array(anyRequest, { minLength: 20, maxLength: 20 }),
  );
  fc.assert(
    fc.property(sets, ([configs, requests]) => {
      const entries = entriesOf(configs);
      const table = new RuleTable(entries);
      for (const request of requests)
        expect(table.find(request, request.path)).toBe(plainly(entries, request));
    }),
    { numRuns: Number(process.env['RUNS'] ?? 500) },
  );
});

test('ten thousand rules: each is found', () => {
  const configs = Array.from({ length: 10_000 }, (_, i) => ({
    host: `h${i % 100}.test`,
    path: `/p${i}/*`,
  }));
  const table = tableOf(configs);
  for (let i = 0; i < 10_000; i += 7) {
    const path = `/p${i}/x`;
    expect(table.find(requestOf(`h${i % 100}.test`, path), path)).toBe(i);
  }
});

test.each(['(a+)+$', '(a|aa)+', '(.*a){12}', '([a-z]+)*\\d'])('%s stays linear', (regex) => {
  const table = tableOf([{ path: { regex: `/${regex}` } }]);
  const path = `/${'a'.repeat(20_000)}!`;
  const before = performance.now();
  expect(table.find(requestOf('h', path), path)).toBeUndefined();
  // With backtracking it would take longer than this test run.
  expect(performance.now() - before).toBeLessThan(5_000);
});
