import type { SecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import type { Certificate } from '../files/certificate.ts';
import { CertificateTable } from './certificate-table.ts';

/** A table of certificates that are nothing but their names. */
function tableOf(...certificates: readonly string[][]) {
  const contexts = new Map<unknown, string>();
  const table = new CertificateTable(
    certificates.map((names) => ({ names }) as unknown as Certificate),
    ({ names }) => {
      const context = {} as SecureContext;
      contexts.set(context, names.join(' '));
      return context;
    },
    {},
  );
  return (name: string) => contexts.get(table.find(name));
}

const find = tableOf(
  ['shop.test', '*.shop.test'],
  ['api.shop.test', 'SHOP.test'.toLowerCase()],
  ['*.deep.shop.test', 'single'],
);

test.each([
  ['shop.test', 'shop.test *.shop.test'],
  ['SHOP.Test.', 'shop.test *.shop.test'],
  ['www.shop.test', 'shop.test *.shop.test'],
  ['api.shop.test', 'api.shop.test shop.test'],
  ['a.deep.shop.test', '*.deep.shop.test single'],
  ['deep.shop.test', 'shop.test *.shop.test'],
  ['single', '*.deep.shop.test single'],
])('%s', (name, names) => {
  expect(find(name)).toBe(names);
});

test.each([
  '',
  '.',
  'test',
  'other.test',
  'a.b.shop.test',
  '*.other.test',
  '.shop.test',
  'xshop.test',
])('no certificate is for %j', (name) => {
  expect(find(name)).toBeUndefined();
});
