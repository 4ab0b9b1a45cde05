import { expect, test } from 'vitest';
import { ingressOf } from './ingress-object.ts';
import { tlsNotes } from './tls-notes.ts';

const withHosts = (...hosts: string[]) => [
  ingressOf({
    metadata: { name: 'web', namespace: 'shop' },
    spec: { tls: [{ hosts, secretName: 'cert' }, {}] },
  })!,
];
const wild = { label: '*.shop.test', names: ['*.shop.test'] };
const exact = { label: 'a.shop.test', names: ['a.shop.test', 'b.test'] };

test.each<[string, string]>([
  ['A.shop.test', 'a.shop.test is served with the certificate a.shop.test of listener web'],
  ['b.shop.test', 'b.shop.test is served with the certificate *.shop.test of listener web'],
  ['*.shop.test', '*.shop.test is served with the certificate *.shop.test of listener web'],
  ['c.b.shop.test', 'no certificate of listener web is for c.b.shop.test'],
  ['shop.test', 'no certificate of listener web is for shop.test'],
])('%s: %s', (host, note) => {
  const listeners = new Map([
    ['web', [wild, exact]],
    ['plain', undefined],
  ]);
  expect(tlsNotes(withHosts(host), listeners)).toEqual([`Ingress shop/web: ${note}`]);
});

test('without any listener for TLS it says so, and without hosts nothing', () => {
  const plain = new Map([['web', undefined]]);
  expect(tlsNotes(withHosts('a.test'), plain)).toEqual([
    'Ingress shop/web: no listener of Ingresses speaks TLS, for a.test',
  ]);
  expect(tlsNotes(withHosts(), plain)).toEqual([]);
});
