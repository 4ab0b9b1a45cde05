import { expect, test } from 'vitest';
import { readManifests } from './read.ts';

const service = (spec: string) =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n${spec}\n`;

const faultsOf = (text: string) => {
  const { faults, manifests } = readManifests(text);
  return [...faults, ...manifests.flatMap((read) => read.faults)];
};

test.each([
  ['a kind that every object inherits', 'kind: constructor\nmetadata: {name: a}'],
  ['another one', 'apiVersion: v1\nkind: toString\nmetadata: {name: a}'],
  ['an alias of the document', '&a\napiVersion: v1\nkind: Service\nmetadata: {name: *a}'],
  ['an alias as the kind', '&a\napiVersion: v1\nkind: *a'],
  ['an alias of a part', 'apiVersion: v1\nkind: Service\nmetadata: &a {name: x, labels: *a}'],
  ['a prototype among labels', service('  selector: {"__proto__": x}\n  ports: [{port: 80}]')],
  [
    'a prototype in JSON',
    '{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"__proto__":{}}',
  ],
  ['endless nesting', '['.repeat(50_000)],
  ['endless nesting in JSON', '{"a":'.repeat(50_000)],
])('%s is refused, and nothing is thrown', (_, text) => {
  const faults = faultsOf(text);
  expect(faults.length).toBeGreaterThan(0);
  for (const { fix, message } of faults)
    expect(`${fix}${message}`).not.toMatch(/undefined|native code/);
});

test('a key that is there twice is found, among thousands without comparing each with each', () => {
  const keys = Array.from({ length: 30_000 }, (_, i) => `  k${i}: 1`);
  const startedMs = performance.now();
  const { faults } = readManifests(`metadata:\n${keys.join('\n')}\n  k7: 2\n`);
  expect(faults).toMatchObject([{ line: 30_002, column: 3, message: 'Map keys must be unique' }]);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

test('a thousand wrong fields are not told one by one', () => {
  const lines = Array.from({ length: 1_000 }, (_, i) => `  k${i}: 1`);
  const faults = faultsOf(service(lines.join('\n')));
  expect(faults.length).toBeGreaterThan(10);
  expect(faults.length).toBeLessThan(100);
});

test('an anchor that is used twice beside itself is no loop', () => {
  const text = service('  selector: &s {app: a}\n  ports: [{port: 80}]').replace(
    '{name: a}',
    '{name: a, labels: {app: a}}',
  );
  expect(faultsOf(text)).toEqual([]);
});
