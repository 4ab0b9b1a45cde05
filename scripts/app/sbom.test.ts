import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { expect, test, vi } from 'vitest';
import { makeSbom, purlsOf } from './sbom.ts';

interface Component {
  readonly purl: string;
  readonly version: string;
  readonly licenses: readonly object[];
  readonly externalReferences: readonly { readonly hashes?: readonly { readonly alg: string }[] }[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const sbom = makeSbom(root);
const components = sbom.components as unknown as readonly Component[];

test('fits the schema of CycloneDX', () => {
  const home = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json');
  const schema = (name: string) =>
    JSON.parse(
      readFileSync(join(dirname(home), `res/schema/${name}.SNAPSHOT.schema.json`), 'utf8'),
    ) as object;
  const ajv = new Ajv({ strict: false });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  for (const format of ['iri-reference', 'idn-email']) ajv.addFormat(format, true);
  for (const part of ['spdx', 'jsf-0.82']) {
    ajv.addSchema({
      ...schema(part),
      $id: `http://cyclonedx.org/schema/${part}.SNAPSHOT.schema.json`,
    });
  }
  const validate = ajv.compile(schema('bom-1.6'));
  expect(validate(sbom) ? [] : validate.errors).toEqual([]);
  expect(validate({ ...sbom, components: [{ type: 'library' }] })).toBe(false);
});

test('every library has a version and a licence, and those of others the hash of their tarball', () => {
  for (const { purl, version, licenses, externalReferences } of components) {
    expect(version, purl).toMatch(/^\d+\.\d+\.\d+/);
    expect(licenses.length, purl).toBeGreaterThan(0);
    if (purl.startsWith('pkg:npm/%40rollcall/')) continue;
    const hashes = externalReferences.flatMap(({ hashes: some = [] }) => some);
    expect(
      hashes.map(({ alg }) => alg),
      purl,
    ).toContain('SHA-512');
  }
});

test('has what runs and nothing that only builds or tests', () => {
  const names = [...purlsOf(sbom)].map((purl) => purl.replace(/@[^@]*$/, ''));
  expect(names).toEqual(expect.arrayContaining(['pkg:npm/fastify', 'pkg:npm/%40rollcall/cli']));
  expect(names).not.toContain('pkg:npm/vitest');
  expect(names).not.toContain('pkg:npm/%40rollcall/testkit');
});

test('is the same in every run of one time', () => {
  vi.stubEnv('SOURCE_DATE_EPOCH', '1795990000');
  expect(JSON.stringify(makeSbom(root))).toBe(JSON.stringify(makeSbom(root)));
  vi.unstubAllEnvs();
});
