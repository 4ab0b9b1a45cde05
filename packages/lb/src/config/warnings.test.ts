import { expect, test } from 'vitest';
import { TlsFiles } from '../testing/tls-files.ts';
import { loadConfig } from './config-file.ts';
import { logWarnings } from './warning-log.ts';

const warnings = (text: string): readonly string[] => loadConfig(text, 'lb.yaml', {}).warnings();

const withRules = (...rules: string[]): string => `registry: { url: http://127.0.0.1:7400 }
listeners:
  - name: web
    port: 8080
    rules:
${rules.map((rule) => `      - ${rule}\n`).join('')}
targetGroups: { api: { service: api } }
`;

test('rules that can never match are named, with their places and that of the other rule', () => {
  const text = withRules(
    '{ name: all, priority: 5, host: "*.shop.example", targetGroup: api }',
    '{ host: www.shop.example, path: /cart/*, methods: [GET], targetGroup: api }',
    '{ host: shop.example, targetGroup: api }',
  );
  expect(warnings(text)).toEqual([
    'lb.yaml:7:9: listeners[0].rules[1]: can never match, because listeners[0].rules[0] (all) at lb.yaml:6:9 goes first and takes every request that it is for',
  ]);
});

test('so are rules whose order in the file decides', () => {
  const text = withRules(
    '{ path: /a, methods: [POST], targetGroup: api }',
    '{ path: /a, headers: { x-beta: yes }, targetGroup: api }',
  ).replace('yes', '"yes"');
  expect(warnings(text)).toEqual([
    'lb.yaml:7:9: listeners[0].rules[1]: has the same precedence as listeners[0].rules[0] at lb.yaml:6:9, which takes what both are for, because it comes first in the file',
  ]);
});

test('more rules than may be compared are counted', () => {
  const text = withRules(
    '{ path: /a, methods: [POST], targetGroup: api }',
    '{ path: /a, methods: [POST, GET], targetGroup: api }',
  );
  const loaded = loadConfig(text, 'lb.yaml', {});
  expect(loaded.warnings(2)).toHaveLength(1);
  expect(loaded.warnings(1)).toEqual([
    'lb.yaml:6:7: listeners[0].rules: has 2 rules, which are not compared with each other while requests wait: --check does it',
  ]);
});

test('rules of different listeners have nothing to do with each other', () => {
  const two = withRules('{ priority: 1, targetGroup: api }').replace(
    'targetGroups:',
    '  - { name: b, port: 8081, rules: [{ path: /a, targetGroup: api }] }\ntargetGroups:',
  );
  expect(warnings(two)).toEqual([]);
});

function secured(certificates: readonly string[], rules: string, more = ''): string {
  const files = new TlsFiles();
  const pairs = certificates.map((names, at) => {
    const { cert, key } = files.issue(`c${at}`, { names: names.split(' ') }).files;
    return `{ cert: ${cert}, key: ${key} }`;
  });
  return `registry: { url: http://127.0.0.1:7400 }
listeners:
  - name: web
    port: 8443
    protocol: https
    tls: { certificates: [${pairs.join(', ')}] }
    default: { targetGroup: api }
    rules: ${rules}
targetGroups: { api: { service: api } }
${more}
`;
}

const rule = (host: string): string => `{ host: "${host}", path: /x, targetGroup: api }`;

test.each<[string, string[], string, string[]]>([
  ['the name itself', ['a.example'], `[${rule('A.example.')}]`, []],
  ['a wildcard is for one label', ['*.example'], `[${rule('a.example')}]`, []],
  [
    'and not for two',
    ['*.example'],
    `[${rule('a.b.example')}]`,
    [
      'listeners[0].tls.certificates[0].cert: covers no host of a rule of this listener: it is for *.example',
      'listeners[0].rules[0].host: no certificate of this listener covers a.b.example',
    ],
  ],
  ['a host below a wildcard', ['a.example'], `[${rule('*.example')}]`, []],
  [
    'nothing below a wildcard',
    ['example'],
    `[${rule('*.example')}]`,
    [
      'listeners[0].tls.certificates[0].cert: covers no host of a rule of this listener: it is for example',
      'listeners[0].rules[0].host: no certificate of this listener covers *.example',
    ],
  ],
  [
    'of two certificates the one that is left over',
    ['a.example', 'old.example www.old.example'],
    `[${rule('a.example')}]`,
    [
      'listeners[0].tls.certificates[1].cert: covers no host of a rule of this listener: it is for old.example, www.old.example',
    ],
  ],
  [
    'a host twice is named once',
    ['a.example'],
    `[${rule('a.example')}, ${rule('b.example')}, { host: b.example, targetGroup: api }]`,
    ['listeners[0].rules[1].host: no certificate of this listener covers b.example'],
  ],
  ['a rule without a host is for all', ['a.example'], '[{ path: /x, targetGroup: api }]', []],
  ['no rules', ['a.example'], '[]', []],
])('certificates and hosts: %s', (_name, certificates, rules, expected) => {
  const found = warnings(secured(certificates, rules));
  expect(found.map((line) => line.replace(/^lb\.yaml:\d+:\d+: /, ''))).toEqual(expected);
  for (const line of found) expect(line).toMatch(/^lb\.yaml:[68]:\d+: /);
});

test('Ingresses may have hosts for the certificates of their listener', () => {
  const text = secured(['b.example'], `[${rule('b.example')}]`, 'ingress: { listener: web }');
  expect(warnings(text.replaceAll('b.example', 'a.example'))).toHaveLength(1);
  expect(warnings(text)).toEqual([]);
});

test('a log gets the first ones, and their number', () => {
  const lines: string[] = [];
  const all = Array.from({ length: 120 }, (_, at) => `warning ${at}`);
  logWarnings(all, (line, level) => void lines.push(`${level} ${line}`));
  expect(lines).toHaveLength(21);
  expect(lines[0]).toBe('warn warning 0');
  expect(lines[20]).toContain('and 100 more');
});
