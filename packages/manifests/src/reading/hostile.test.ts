import { expect, test } from 'vitest';
import { fileOf, portableOf } from './portable.ts';
import { readManifests } from './read.ts';
import { isTooDeep } from './text-limits.ts';

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
  const before = process.cpuUsage();
  const { faults } = readManifests(`metadata:\n${keys.join('\n')}\n  k7: 2\n`);
  expect(faults).toMatchObject([{ line: 30_002, column: 3, message: 'Map keys must be unique' }]);
  // Processor time: what else the machine does must not count.
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(5_000);
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

test.each([
  ['brackets', '['.repeat(900_000), 'at most 64 levels'],
  ['mappings in a line', '{a: '.repeat(220_000), 'at most 64 levels'],
  ['mappings of JSON', '{"a":'.repeat(150_000), 'at most 64 levels'],
  ['documents', '---\na\n'.repeat(150_000), 'at most 1000 documents'],
  ['documents of JSON', '{}\n---\n'.repeat(250_000), 'at most 1000 documents'],
  ['aliases', `a: &a x\nb: [${'*a,'.repeat(200_000)}]`, 'at most 1000 aliases'],
  ['sequences in a line', '- '.repeat(600_000), 'at most 1000000 marks'],
])('too many %s are refused before any is composed, with their place', (_, text, expected) => {
  const { manifests, faults } = readManifests(text);
  expect(manifests).toEqual([]);
  expect(faults).toMatchObject([{ message: `expected ${expected}` }]);
});

test('depth is counted by where brackets end, and not in texts', () => {
  const flat = service(`  selector: {a: "${'['.repeat(100)}"}\n  ports: [{port: 80}]`);
  expect(faultsOf(flat).map(({ message }) => message)).not.toContain('expected at most 64 levels');
  const many = Array.from({ length: 200 }, (_, i) => `{port: ${i + 1}, name: p${i}}`).join(', ');
  expect(faultsOf(service(`  ports: [${many}]`))).toEqual([]);
  expect(isTooDeep('['.repeat(64))).toBe(false);
  expect(isTooDeep('['.repeat(65))).toBe(true);
  expect(isTooDeep('[{"a":'.repeat(32))).toBe(false);
  expect(isTooDeep('[{"a":'.repeat(33))).toBe(true);
  expect(isTooDeep('[]'.repeat(1_000))).toBe(false);
  expect(isTooDeep(JSON.stringify('"[\\'.repeat(1_000)))).toBe(false);
  expect(isTooDeep(`{"a":"\\"","b":${'['.repeat(64)}`)).toBe(true);
});

test('what was read can be sent to another thread, places included', () => {
  const text = `${service('  ports:\n    - port: 80\n      nodePort: 7')}---\nkind: Nothing\n`;
  const read = readManifests(text);
  const sent = fileOf(structuredClone(portableOf(read)));
  expect(sent.faults).toEqual(read.faults);
  expect(sent.manifests).toHaveLength(2);
  for (const [i, own] of read.manifests.entries()) {
    const { locate, ...rest } = sent.manifests[i]!;
    expect(rest).toEqual({ ...own, locate: undefined, ...rest });
    for (const field of [
      '',
      'spec',
      'spec.ports',
      'spec.ports[0].nodePort',
      'spec.ports[7].x',
      'x',
    ]) {
      expect(locate(field), field).toEqual(own.locate(field));
    }
  }
});
