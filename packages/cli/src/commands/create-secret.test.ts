import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority } from '@rollcall/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCli } from '../testing/test-cli.ts';

const authority = new TestAuthority();
const own = authority.issue({ names: ['shop.test'] });
const other = authority.issue({ names: ['other.test'] });
const folder = mkdtempSync(join(tmpdir(), 'rollcall-create-secret-'));

let cli: TestCli;
let cert: string;
let key: string;

beforeAll(async () => {
  const keys = join(folder, 'secrets.key');
  writeFileSync(keys, randomBytes(32).toString('base64'));
  cli = await TestCli.start(`--secrets-key-file=${keys}`);
  cert = cli.file('shop.pem', own.cert);
  key = cli.file('shop.key', own.key);
});
afterAll(async () => {
  await cli.close();
  rmSync(folder, { recursive: true });
});

const create = (...argv: string[]) => cli.run('create', 'secret', ...argv);

test('a certificate and its key become a Secret that shows neither', async () => {
  const { code, out } = await create('tls', 'shop', `--cert=${cert}`, `--key=${key}`);
  expect({ code, out }).toEqual({ code: 0, out: 'secret/shop created\n' });
  expect(await cli.out('get', 'secrets')).toBe(
    'NAME   TYPE                AGE\nshop   kubernetes.io/tls   20m\n',
  );
  const yaml = await cli.out('get', 'secret', 'shop', '-o', 'yaml');
  expect(yaml).toContain('\ntype: kubernetes.io/tls\n');
  for (const text of [yaml, await cli.out('describe', 'secret', 'shop')]) {
    expect(text).toContain('shop');
    expect(text).not.toMatch(/\bdata|sealed|LS0tLS1/i);
  }
  expect(await cli.out('get', 'events')).toContain('secret/shop');
  expect(await cli.out('delete', 'secret', 'shop')).toContain('secret "shop" deleted');
});

test('a step cannot change a part of what it holds, but the whole, or the rest of it', async () => {
  await create('tls', 'stepped', `--cert=${cert}`, `--key=${key}`);
  const patch = (...steps: object[]) =>
    cli.run('patch', 'secret', 'stepped', '--type=json', '-p', JSON.stringify(steps));
  const part = { op: 'replace', path: '/data/tls.crt', value: 'eA==' };
  expect(await patch(part)).toMatchObject({
    code: 2,
    err: 'error: --patch: /data/tls.crt: the content of a Secret is not shown: use --type=merge\n',
  });
  const value = { 'tls.crt': other.cert, 'tls.key': other.key };
  const label = { op: 'add', path: '/metadata/labels', value: { a: 'b' } };
  for (const step of [label, { op: 'add', path: '/stringData', value }])
    expect(await patch(step)).toMatchObject({ code: 0, err: '' });
});

test('a difference of what it holds is one, and is not shown', async () => {
  const secretText = ({ cert: crt, key: secretKey }: typeof own) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'differs' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': crt, 'tls.key': secretKey },
    });
  await cli.apply(secretText(own));
  const same = await cli.run('diff', '-f', cli.file('same.json', secretText(own)));
  expect(same).toEqual({ code: 0, out: '', err: '' });
  const { code, out } = await cli.run('diff', '-f', cli.file('other.json', secretText(other)));
  expect(code).toBe(1);
  expect(out).toContain("-data: '*** (before)'\n+data: '*** (after)'\n");
  expect(out).not.toContain('PRIVATE');
});

test('the dry run of the client shows what would be sent', async () => {
  const argv = ['create', 'secret', 'tls', 'dry', `--cert=${cert}`, `--key=${key}`];
  const text = await cli.out(...argv, '-n', 'prod', '--dry-run=client', '-o', 'yaml');
  expect(text).toContain(`tls.crt: ${Buffer.from(own.cert).toString('base64')}`);
  await cli.apply(text);
  expect(await cli.out('get', 'secret', '-n', 'prod', '-o', 'name')).toBe('secret/dry\n');
});

test.each<[string, () => string[], string]>([
  ['another type', () => ['generic', 'x'], 'expected tls, got "generic"'],
  ['no name', () => ['tls'], 'exactly one NAME is required'],
  ['no key', () => ['tls', 'x', `--cert=${cert}`], 'required flag(s) "key" not set'],
  ['no file', () => ['tls', 'x', `--cert=${cert}`, '--key=/none'], '--key /none: ENOENT'],
  [
    'a key that does not fit',
    () => ['tls', 'x', `--cert=${cert}`, `--key=${cli.file('other.key', other.key)}`],
    'data[tls.key]: Invalid value: expected the private key of the certificate',
  ],
])('refused: %s', async (_what, argv, message) => {
  const { code, err } = await create(...argv());
  expect(code).not.toBe(0);
  expect(err).toContain(message);
});
