import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(`${root}/${file}`, 'utf8');

interface Described {
  readonly properties: Record<string, { readonly description?: string }>;
}

const schema = JSON.parse(read('packages/lb/config.schema.json')) as Described;
const ajv = new Ajv2020({ strict: false });
(addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
const validate = ajv.compile(schema);

const EXAMPLE = /^( *)```yaml\n([\s\S]*?)^ *```/gm;

test('the examples of the docs are right for editors too', () => {
  const pages = [
    'docs/load-balancer.md',
    'docs/from-nginx-and-traefik.md',
    'packages/lb/README.md',
  ];
  const examples = pages
    .flatMap((page) => [...read(page).matchAll(EXAMPLE)])
    .map(([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    .filter((text) => /^(registry|listeners):/.test(text));
  expect(examples.length).toBeGreaterThan(6);
  for (const text of examples) {
    validate(parse(text));
    expect(validate.errors ?? []).toEqual([]);
  }
});

test.each([
  [{ listener: [] }, 'additionalProperties'],
  [{ listeners: [{ name: 'web', port: 'x' }] }, 'type'],
  [{ listeners: [{ name: 'web', port: 1, rules: [{ methods: ['get'] }] }] }, 'pattern'],
  [{ listeners: [], targetGroups: { a: {} } }, 'required'],
])('%j is refused', (wrong, keyword) => {
  expect(validate({ registry: { url: 'http://a' }, listeners: [], ...wrong })).toBe(false);
  expect(validate.errors?.map((one) => one.keyword)).toContain(keyword);
});

test('keys have texts', () => {
  const described = Object.values(schema.properties).filter(
    ({ description = '' }) => description !== '',
  );
  expect(described.length).toBeGreaterThan(8);
  expect(JSON.stringify(schema)).toContain('Longest body; a longer one gets a 413.');
});
