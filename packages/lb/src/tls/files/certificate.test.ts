import { TestAuthority } from '@rollcall/testkit';
import { describe, expect, test } from 'vitest';
import { TlsFiles } from '../../testing/tls-files.ts';
import { readAuthorities } from './authorities.ts';
import { readCertificate } from './certificate.ts';
import { readNow } from './file-contents.ts';
import { FileFault } from './file-fault.ts';

const NOW = new Date().getTime();

function faultOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof FileFault) return `${error.field}: ${error.message}`;
    throw error;
  }
  return '';
}

const read = (files: Parameters<typeof readCertificate>[0], nowMs = NOW) =>
  readCertificate(files, nowMs, readNow);

test('names come from the certificate, in lower case', () => {
  const files = new TlsFiles();
  const names = ['Shop.Test', '*.shop.test', 'a.b.shop.test'];
  const { files: pair } = files.issue('shop', { names, addresses: ['127.0.0.1'], uris: ['x:y'] });
  const { leaf, expiresAtMs, ...certificate } = read(pair);
  expect(certificate.names).toEqual(['shop.test', '*.shop.test', 'a.b.shop.test']);
  expect(expiresAtMs).toBe(leaf.validToDate.getTime());
});

test('without names it can still be the first one', () => {
  const files = new TlsFiles();
  expect(read(files.issue('a', { subject: { CN: 'only.subject.test' } }).files).names).toEqual([]);
});

test('a chain, comments and line ends of another system', () => {
  const files = new TlsFiles();
  const { cert, key } = files.issue('a', { names: ['a.test'] });
  const chain = `subject=CN = a\r\n${cert.replaceAll('\n', '\r\n')}\n# issuer\n${files.authority.cert}`;
  const certificate = read({ cert: files.write('chain.pem', chain), key: files.write('k', key) });
  expect(certificate.names).toEqual(['a.test']);
  expect(certificate.cert).toBe(chain);
});

test('a key that a passphrase opens', () => {
  const files = new TlsFiles();
  const { files: pair } = files.issue('a', { names: ['a.test'], passphrase: 'sesame' });
  const passphraseFile = files.write('secret', 'sesame\n');
  expect(read({ ...pair, passphraseFile }).key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(faultOf(() => read(pair))).toBe(
    `key: ${pair.key}:1: expected a key without a passphrase, or a passphraseFile`,
  );
  files.write('secret', 'please\n');
  expect(faultOf(() => read({ ...pair, passphraseFile }))).toMatch(
    /^key: .*a\.key:1: expected a private key that the passphrase opens \(.+\)$/,
  );
  files.write('secret', '\nsesame');
  expect(faultOf(() => read({ ...pair, passphraseFile }))).toBe(
    `passphraseFile: ${passphraseFile}:1: expected a passphrase in its first line`,
  );
});

describe('what cannot be used says which file, which line and why', () => {
  test.each(['cert', 'key'] as const)('a %s that is not there', (field) => {
    const files = new TlsFiles();
    const pair = { ...files.issue('a', { names: ['a.test'] }).files, [field]: '/nowhere/x.pem' };
    expect(faultOf(() => read(pair))).toBe(
      `${field}: /nowhere/x.pem: expected a file that can be read (ENOENT)`,
    );
  });

  test('files that hold something else', () => {
    const files = new TlsFiles();
    const { cert, key } = files.issue('a', { names: ['a.test'] }).files;
    const text = files.write('text', 'hello\n');
    expect(faultOf(() => read({ cert: text, key }))).toBe(
      `cert: ${text}: expected a certificate (PEM), found none`,
    );
    expect(faultOf(() => read({ cert, key: text }))).toBe(
      `key: ${text}: expected a private key (PEM), found none`,
    );
    expect(faultOf(() => read({ cert: key, key: cert }))).toMatch(/^cert: .*found none$/);
    expect(faultOf(() => readAuthorities({ field: 'clientCa', file: key }, readNow))).toBe(
      `clientCa: ${key}: expected certificates of authorities (PEM), found none`,
    );
  });

  test('a certificate that is cut off, or damaged', () => {
    const files = new TlsFiles();
    const { cert, key, files: pair } = files.issue('a', { names: ['a.test'] });
    const lines = cert.split('\n');
    files.write('a.pem', `${files.authority.cert}${lines.slice(0, 5).join('\n')}\n`);
    const begin = files.authority.cert.split('\n').length;
    expect(faultOf(() => read(pair))).toBe(
      `cert: ${pair.cert}:${begin}: expected "-----END CERTIFICATE-----" after "-----BEGIN CERTIFICATE-----"`,
    );
    files.write('a.pem', cert.replace(lines[2]!, '<<<<<<< HEAD'));
    expect(faultOf(() => read(pair))).toBe(
      `cert: ${pair.cert}:3: expected base64 or "-----END CERTIFICATE-----"`,
    );
    files.write('a.pem', cert.replace(lines[2]!, 'A'.repeat(64)));
    expect(faultOf(() => read(pair))).toMatch(/^cert: .*a\.pem:1: expected a certificate \(.+\)$/);
    files.write('a.pem', cert);
    files.write('a.key', key.replace(key.split('\n')[1]!, 'AAAA'));
    expect(faultOf(() => read(pair))).toMatch(/^key: .*a\.key:1: expected a private key \(.+\)$/);
  });

  test('a key of another certificate, and certificates in the wrong order', () => {
    const files = new TlsFiles();
    const { cert, files: a } = files.issue('a', { names: ['a.test'] });
    const { files: b } = files.issue('b', { names: ['b.test'] });
    expect(faultOf(() => read({ cert: a.cert, key: b.key }))).toBe(
      `key: ${b.key}: expected the private key of the certificate in ${a.cert}`,
    );
    files.write('a.pem', files.authority.cert + cert);
    const line = files.authority.cert.split('\n').length;
    expect(faultOf(() => read(a))).toBe(
      `cert: ${a.cert}:${line}: expected the certificate of the key first, and then those that issued it`,
    );
  });

  test('a certificate that has expired, or is not valid yet', () => {
    const files = new TlsFiles();
    const { files: old } = files.issue('old', { names: ['a.test'], fromDays: -9, toDays: -1 });
    expect(faultOf(() => read(old))).toMatch(
      /^cert: .*old\.pem:1: expected a certificate that has not expired, this one did on \d{4}-\d\d-\d\d$/,
    );
    const { files: early } = files.issue('early', { names: ['a.test'], fromDays: 2 });
    expect(faultOf(() => read(early))).toMatch(
      /expected a certificate that is valid now, this one begins on \d{4}-\d\d-\d\d$/,
    );
  });
});

test('authorities: one or several', () => {
  const files = new TlsFiles();
  const both = files.authority.cert + new TestAuthority('another').cert;
  const file = files.write('both.pem', both);
  expect(readAuthorities({ field: 'ca', file }, readNow)).toBe(both);
});
