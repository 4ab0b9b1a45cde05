import { X509Certificate } from 'node:crypto';
import { TestAuthority } from '@rollcall/testkit';
import { expect, test } from 'vitest';
import { alternativeNames, clientCertificateElement } from './client-certificate.ts';

const authority = new TestAuthority();
const element = (wish: Parameters<TestAuthority['issue']>[0]) =>
  clientCertificateElement(new X509Certificate(authority.issue(wish).cert)).replace(
    /^Hash=[0-9a-f]{64};/,
    '',
  );

test('hash, subject and names, in the format of Envoy', () => {
  const { cert } = authority.issue({
    subject: { C: 'US', O: 'Shop', CN: 'orders' },
    names: ['orders.test', '*.orders.test'],
    uris: ['spiffe://shop/orders'],
    addresses: ['127.0.0.1'],
  });
  const certificate = new X509Certificate(cert);
  const hash = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  expect(clientCertificateElement(certificate)).toBe(
    `Hash=${hash};Subject="CN=orders,O=Shop,C=US";URI=spiffe://shop/orders;DNS=orders.test;DNS=*.orders.test`,
  );
});

test('no subject or name can end its value and begin another', () => {
  expect(element({ subject: { CN: 'a";Hash=0,b\\' } })).toBe('Subject="CN=a\\"\\;Hash=0\\,b\\\\"');
  expect(element({ subject: { CN: 'a' }, uris: ['x://b,c";DNS=d'], names: ['e;f'] })).toBe(
    'Subject="CN=a";URI="x://b,c\\";DNS=d";DNS="e;f"',
  );
});

test('whatever is in it, a field value stays visible ASCII', () => {
  expect(element({ subject: { CN: 'Bj\u00f6rn\r\nX-Admin: 1' } })).toBe(
    'Subject="CN=Bj\\C3\\B6rn\\0D\\0AX-Admin: 1"',
  );
  expect(element({ subject: { CN: 'a' }, names: ['b\r\nX-Admin: 1'] })).toMatch(
    /^Subject="CN=a";DNS=[\x20-\x7e]+$/,
  );
});

test('names are read as Node.js writes them', () => {
  expect(alternativeNames('')).toEqual([]);
  expect(alternativeNames('DNS:a.test, IP Address:10.0.0.1, URI:"x\\u002c\\"y", DNS:b')).toEqual([
    { kind: 'DNS', value: 'a.test' },
    { kind: 'IP Address', value: '10.0.0.1' },
    { kind: 'URI', value: 'x,"y' },
    { kind: 'DNS', value: 'b' },
  ]);
});
