import type { RequestView } from '@rollcall/dataplane';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { networkBits } from './network.ts';
import { precedes } from './precedence.ts';
import { entriesOf, type RuleClaims } from './rule-entries.ts';
import { reviewRules } from './rule-review.ts';
import { RuleTable } from './rule-table.ts';

/** `never 1 0`: rule 1 is never chosen, because of rule 0. */
const reviewed = (rules: readonly RuleClaims[]): string[] =>
  reviewRules(entriesOf(rules)).map(
    ({ kind, rule, other }) => `${kind} ${rule.index} ${other.index}`,
  );

test.each<[string, RuleClaims[], string[]]>([
  ['nothing', [{ path: '/a' }, { path: '/b' }, {}], []],
  ['a more specific rule later', [{}, { path: '/a/*' }, { path: '/a/b' }], []],
  ['a priority before what is more specific', [{ path: '/a' }, { priority: 1 }], ['never 0 1']],
  [
    'priorities in their order',
    [
      { priority: 2, path: '/a/b' },
      { priority: 1, path: '/a/*' },
    ],
    ['never 0 1'],
  ],
  ['a lower priority', [{ priority: 1, path: '/a/b' }, { priority: 2 }], []],
  ['a prefix is no text that begins so', [{ path: '/ab' }, { priority: 1, path: '/a/*' }], []],
  ['nor for prefixes', [{ path: '/ab/*' }, { priority: 1, path: '/a/*' }], []],
  ['nor for globs', [{ path: { glob: '/ab?' } }, { priority: 1, path: '/a/*' }], []],
  ['what begins so', [{ path: '/ab/*' }, { priority: 1, path: { glob: '/a**' } }], ['never 0 1']],
  ['a glob below', [{ path: { glob: '/a/b?' } }, { priority: 1, path: '/a/*' }], ['never 0 1']],
  ['hosts', [{ host: 'a.b.test' }, { priority: 1, host: '*.test' }], ['never 0 1']],
  [
    'a wildcard of one label',
    [{ host: 'a.b.test' }, { priority: 1, host: '*.test', hostDepth: 'one' }],
    [],
  ],
  ['letter case of hosts', [{ host: 'A.test.' }, { priority: 1, host: 'a.TEST' }], ['never 0 1']],
  [
    'a regular expression before the prefix that it is',
    [{ path: '/a/*' }, { path: { regex: '/a.*' } }],
    ['never 0 1'],
  ],
  [
    'an expression is tried on one path',
    [{ path: '/v12' }, { priority: 1, path: { regex: '/v[0-9]+' } }],
    ['never 0 1'],
  ],
  [
    'the same expression with more conditions',
    [
      { path: { glob: '/a/*/c' }, methods: ['GET'] },
      { priority: 1, path: { glob: '/a/*/c' } },
    ],
    ['never 0 1'],
  ],
  [
    'any path is more than any path with a slash',
    [{}, { path: { regex: '/.*' }, priority: 1 }],
    [],
  ],
  ['fewer methods', [{ methods: ['GET', 'PUT'] }, { methods: ['PUT'] }], ['never 1 0']],
  ['more methods', [{ methods: ['PUT'] }, { methods: ['GET', 'PUT'] }], ['order 1 0']],
  ['other methods', [{ methods: ['PUT'] }, { methods: ['GET'] }], []],
  [
    'a value is there',
    [{ headers: { X: { present: true } } }, { headers: { x: 'a' } }],
    ['never 1 0'],
  ],
  [
    'a value that matches',
    [{ query: { q: { regex: 'a+' } } }, { query: { q: 'aa' } }],
    ['never 1 0'],
  ],
  ['two values', [{ query: { q: 'a' } }, { query: { q: 'aa' } }], []],
  ['two expressions', [{ query: { q: { regex: 'a+' } } }, { query: { q: { regex: 'a*' } } }], []],
  [
    'a smaller network',
    [{ sources: ['10.0.0.0/8', '2001:db8::/32'] }, { sources: ['10.2.0.0/16', '10.1.2.3/32'] }],
    ['never 1 0'],
  ],
  [
    'networks that have something in common',
    [{ sources: ['10.0.0.0/8'] }, { sources: ['10.2.0.0/16', '192.168.0.0/16'] }],
    ['order 1 0'],
  ],
  [
    'conditions of different subjects',
    [{ methods: ['GET'] }, { headers: { x: '1' } }],
    ['order 1 0'],
  ],
  [
    'a third rule settles it',
    [{ methods: ['GET'] }, { headers: { x: '1' } }, { methods: ['GET'], headers: { x: '1' } }],
    [],
  ],
  [
    'a priority settles it',
    [
      { methods: ['GET'], priority: 1 },
      { headers: { x: '1' }, priority: 2 },
    ],
    [],
  ],
])('%s', (_name, rules, expected) => {
  expect(reviewed(rules)).toEqual(expected);
});

const segment = fc.constantFrom('a', 'ab', 'b');
const plainPath = fc.array(segment, { maxLength: 2 }).map((all) => `/${all.join('/')}`);
const anyValue = fc.constantFrom<NonNullable<RuleClaims['headers']>[string]>(
  '1',
  '2',
  { regex: '[12]' },
  { regex: '1*' },
  { present: true },
  { present: false },
);
/** Mostly nothing: rules that ask for little have more in common. */
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: value });
const anyRule = fc.record({
  host: rarely(
    fc.constantFrom('a.test', 'A.test.', '*.a.test', '*.test', '*.b.a.test', 'b.a.test'),
  ),
  hostDepth: rarely(fc.constantFrom('one' as const, 'any' as const)),
  path: rarely(
    fc.oneof(
      plainPath,
      plainPath.map((path) => `${path === '/' ? '' : path}/*`),
      plainPath.map((prefix) => ({ prefix })),
      plainPath.map((path) => ({ glob: `${path}**` })),
      plainPath.map((path) => ({ glob: `${path}/**` })),
      plainPath.map((path) => ({ glob: path.replaceAll('b', '*') })),
      plainPath.map((path) => ({ regex: path.replaceAll('a', '[ab]+') })),
      plainPath.map((path) => ({ regex: `${path}.*` })),
      plainPath.map((path) => ({ regex: `${path}(/.*)?` })),
      plainPath.map((path) => ({ regex: path })),
      plainPath.map((path) => ({ regex: `${path}?.*` })),
      plainPath.map((path) => ({ regex: `${path}|/c` })),
      fc.constant({ regex: '.*' }),
    ),
  ),
  priority: rarely(fc.integer({ min: 1, max: 2 })),
  methods: rarely(fc.constantFrom(['GET'], ['POST'], ['GET', 'POST'])),
  headers: rarely(fc.dictionary(fc.constantFrom('x', 'X', 'y'), anyValue, { maxKeys: 2 })),
  query: rarely(fc.dictionary(fc.constant('q'), anyValue, { maxKeys: 1 })),
  sources: rarely(
    fc.constantFrom(
      ['10.0.0.0/8'],
      ['10.1.0.0/16'],
      ['10.1.2.3/32', '2001:db8::/32'],
      ['0.0.0.0/0'],
      ['::/0', '::ffff:10.1.2.3/128'],
    ),
  ),
});
const optional = fc.constantFrom(undefined, '1', '2', '3');
const anyRequest = fc
  .record({
    host: fc.constantFrom('', 'a.test', 'b.a.test', 'x.b.a.test', 'x.test', 'other'),
    path: fc.oneof(
      plainPath,
      plainPath.map((path) => `${path}/`),
      fc.constant('*'),
    ),
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    x: optional,
    y: optional,
    q: optional,
    clientAddress: fc.constantFrom('10.1.2.3', '10.9.0.1', '192.0.2.1', '2001:db8::1', '::1'),
  })
  .map(({ x, y, q, ...line }): RequestView => {
    const fields: Record<string, string | undefined> = { x, y };
    const target = q === undefined ? line.path : `${line.path}?q=${q}`;
    return {
      ...line,
      target,
      requestId: '',
      isSecure: false,
      rule: '',
      field: (name) => fields[name],
    };
  });
const anySet = fc.tuple(
  fc.array(anyRule, { minLength: 2, maxLength: 12 }),
  fc.array(anyRequest, { minLength: 40, maxLength: 40 }),
);
const numRuns = Number(process.env['RUNS'] ?? 500);

test('a rule that can never match is never chosen, whatever the request', () => {
  let found = 0;
  fc.assert(
    fc.property(anySet, ([rules, requests]) => {
      const entries = entriesOf(rules);
      const table = new RuleTable(entries);
      const never = reviewRules(entries).filter(({ kind }) => kind === 'never');
      found += never.length;
      for (const request of requests) {
        const chosen = table.find(request, request.path);
        for (const { rule } of never) expect(chosen).not.toBe(rule.value);
      }
    }),
    { numRuns },
  );
  expect(found).toBeGreaterThan(numRuns / 10);
});

test('what is said of two rules of the same precedence holds: without the first, the other is chosen', () => {
  let [found, shown] = [0, 0];
  fc.assert(
    fc.property(anySet, ([rules, requests]) => {
      const entries = entriesOf(rules);
      const table = new RuleTable(entries);
      for (const { kind, rule, other } of reviewRules(entries)) {
        if (kind !== 'order') continue;
        found++;
        expect(other.index).toBeLessThan(rule.index);
        const swapped = rules.toSpliced(rule.index, 1).toSpliced(other.index, 0, rule.value);
        const otherTable = new RuleTable(entriesOf(swapped));
        for (const request of requests) {
          const before = table.find(request, request.path);
          const after = otherTable.find(request, request.path);
          if (before === other.value && after === rule.value) shown++;
        }
      }
    }),
    { numRuns },
  );
  expect(found).toBeGreaterThan(numRuns / 10);
  expect(shown).toBeGreaterThan(0);
});

test('the order is that in which a table tries the rules', () => {
  fc.assert(
    fc.property(anySet, ([rules, requests]) => {
      const table = new RuleTable(entriesOf(rules));
      for (const { host, path } of requests) {
        const tried = table.candidates(host, path);
        for (const [at, entry] of tried.entries())
          for (const later of tried.slice(at + 1)) {
            expect(precedes(entry, later)).toBe(true);
            expect(precedes(later, entry)).toBe(false);
          }
      }
    }),
    { numRuns },
  );
});

test.each([
  ['10.0.0.0/8', '4:00001010'],
  ['10.129.0.0/9', '4:000010101'],
  ['0.0.0.0/0', '4:'],
  ['::/0', '6:'],
  ['2001:db8::/32', '6:00100000000000010000110110111000'],
  ['::1/128', `6:${'0'.repeat(127)}1`],
  ['1::2:3/16', `6:${'0'.repeat(15)}1`],
  ['1:2:3:4:5:6:7:8/16', `6:${'0'.repeat(15)}1`],
  ['::ffff:10.0.0.0/104', `6:${'0'.repeat(80)}${'1'.repeat(16)}00001010`],
])('the bits of %s', (network, bits) => {
  expect(networkBits(network)).toBe(bits);
});
