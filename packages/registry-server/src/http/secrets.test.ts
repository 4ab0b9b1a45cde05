import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import type { RegistryServer } from '../compose.ts';
import { startTestServer, StreamReader } from '../testing/test-server.ts';

const ADMIN = 'admin-token-of-the-test';
const READER = 'reader-token-of-the-test';
const BALANCER = 'balancer-token-of-the-test';
const TOKENS = [
  `--token=${ADMIN}`,
  `--token=${READER}=read:*`,
  `--token=${BALANCER}=read:shop,secrets:shop`,
];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const authority = new TestAuthority();
const own = authority.issue({ names: ['shop.test'] });
const other = authority.issue({ names: ['other.test'] });

const base64 = (text: string) => Buffer.from(text).toString('base64');
const dataOf = ({ cert, key }: { cert: string; key: string }) => ({
  'tls.crt': base64(cert),
  'tls.key': base64(key),
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'rollcall-secrets-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function keyFile(...keys: string[]): string {
  const file = join(folder(), 'secrets.key');
  writeFileSync(file, `# keys of the test\n${keys.join('\n')}\n`);
  return file;
}

const newKey = () => randomBytes(32).toString('base64');

async function start(...flags: string[]): Promise<RegistryServer> {
  const server = await startTestServer(...flags);
  onTestFinished(() => server.close());
  return server;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

async function ask(
  { url }: RegistryServer,
  token: string,
  method: string,
  path: string,
  body?: string,
): Promise<Answer> {
  const type = path.includes('import') ? 'application/json' : 'application/yaml';
  const reply = await fetch(`${url}/v1/${path}`, {
    method,
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await reply.text();
  return { status: reply.status, text, body: JSON.parse(text) as Record<string, unknown> };
}

const secretText = (more: object = {}, name = 'own', annotations?: object) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'shop', annotations },
    type: 'kubernetes.io/tls',
    ...more,
  });

const apply = (server: RegistryServer, text: string, query = '', token = ADMIN) =>
  ask(server, token, 'POST', `apply${query}`, text);

const read = (server: RegistryServer, token: string, ns = 'shop', name = 'own') =>
  ask(server, token, 'GET', `namespaces/${ns}/secrets/${name}`);

/** Whether a text has something of what the Secret holds, in any of its forms. */
function holds(text: string): boolean {
  const lines = [...own.key.split('\n').slice(1, -2), base64(own.key).slice(40, 120)];
  return lines.some((line) => text.includes(line)) || text.includes('PRIVATE KEY');
}

test('only the scope secrets of its namespace reads what it holds', async () => {
  const server = await start(...TOKENS, `--secrets-key-file=${keyFile(newKey())}`);
  const applied = await apply(server, secretText({ data: dataOf(own) }));
  expect(applied.body).toMatchObject({ results: [{ action: 'created' }] });
  const { status, body } = await read(server, BALANCER);
  expect(status).toBe(200);
  expect(body).toMatchObject({ type: 'kubernetes.io/tls', data: dataOf(own) });
  for (const token of [ADMIN, READER])
    expect((await read(server, token)).body).toMatchObject({
      code: 'forbidden',
      message: 'the token does not cover secrets:shop',
    });
  expect((await read(server, BALANCER, 'lab')).status).toBe(403);
  expect((await read(server, '')).status).toBe(401);
  expect((await read(server, BALANCER, 'shop', 'none')).body).toMatchObject({
    code: 'object_not_found',
    message: 'secrets "none" not found',
  });
});

test('O10: nothing else shows it: replies, lists, watch, events, export, documents of errors', async () => {
  const server = await start(...TOKENS, `--secrets-key-file=${keyFile(newKey())}`);
  const streams = await StreamReader.open(`${server.url}/v1/watch?namespace=shop`, {
    authorization: `Bearer ${ADMIN}`,
  });
  const copy = secretText({ data: dataOf(own) });
  const shown = [
    await apply(server, secretText({ data: dataOf(own) }, 'own', { [LAST_APPLIED]: copy, a: 'b' })),
    await apply(server, secretText({ data: dataOf(other) })),
    await apply(server, secretText({ data: dataOf(own) })),
    await apply(server, secretText({ data: dataOf(own) }), '?mode=replace'),
    await apply(server, secretText({ data: dataOf(own) }, 'new'), '?dryRun=true'),
    await ask(server, ADMIN, 'GET', 'namespaces/shop/manifests/secrets/own'),
    await ask(server, ADMIN, 'GET', 'namespaces/*/manifests/secrets'),
    await ask(server, ADMIN, 'GET', 'events?namespace=*'),
    await ask(server, ADMIN, 'GET', 'export'),
    await apply(server, secretText({ data: { ...dataOf(other), 'tls.key': base64(own.key) } })),
    await apply(server, secretText({ data: own.key })),
    await apply(server, secretText({ data: { 'tls.key': [own.key] } })),
    await apply(server, secretText({ stringData: { a: { b: own.key } } })),
    await ask(server, ADMIN, 'DELETE', 'namespaces/shop/manifests/secrets/own'),
  ];
  for (const { text } of shown) expect(holds(text)).toBe(false);
  expect(shown.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 9 }, () => 200),
    422,
    422,
    422,
    422,
    200,
  ]);
  expect(shown[8]!.text).not.toContain('secret');
  expect(shown[5]!.body).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: expect.objectContaining({ name: 'own', namespace: 'shop' }) as object,
    type: 'kubernetes.io/tls',
  });
  expect(JSON.stringify(streams.events)).not.toContain('own');
  streams.close();
});

test('in the store it is encrypted, and a later server opens it', async () => {
  const store = join(folder(), 'roll.json');
  const [first, second] = [newKey(), newKey()];
  const flags = [...TOKENS, `--store=file:${store}`];
  const server = await startTestServer(...flags, `--secrets-key-file=${keyFile(first)}`);
  await apply(server, secretText({ data: dataOf(own) }));
  await server.close();
  const kept = readFileSync(store, 'utf8');
  expect(kept).toContain('secret/shop/own');
  expect(holds(kept)).toBe(false);
  const stranger = await startTestServer(...flags, `--secrets-key-file=${keyFile(second)}`);
  expect((await read(stranger, BALANCER)).body).toMatchObject({ code: 'secret_sealed' });
  await stranger.close();
  const without = await startTestServer(...flags);
  expect((await read(without, BALANCER)).body).toMatchObject({ code: 'secret_sealed' });
  await without.close();
  const rotated = await start(...flags, `--secrets-key-file=${keyFile(second, first)}`);
  expect((await read(rotated, BALANCER)).body).toMatchObject({ data: dataOf(own) });
});

test('the same again is unchanged; other content, labels and types are not', async () => {
  const server = await start(...TOKENS, `--secrets-key-file=${keyFile(newKey())}`);
  const actionOf = async (text: string) => {
    const { body } = await apply(server, text);
    return (body as { results: { action: string }[] }).results[0]!.action;
  };
  const { cert, key } = own;
  expect(await actionOf(secretText({ data: dataOf(own) }))).toBe('created');
  expect(await actionOf(secretText({ data: dataOf(own) }))).toBe('unchanged');
  expect(await actionOf(secretText({ stringData: { 'tls.crt': cert, 'tls.key': key } }))).toBe(
    'unchanged',
  );
  expect(await actionOf(secretText({ data: dataOf(other) }))).toBe('configured');
  expect((await read(server, BALANCER)).body).toMatchObject({ data: dataOf(other) });
  const patch = await fetch(`${server.url}/v1/namespaces/shop/manifests/secrets/own`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${ADMIN}`,
      'content-type': 'application/merge-patch+json',
    },
    body: JSON.stringify({ metadata: { labels: { a: 'b' } } }),
  });
  expect(patch.status).toBe(200);
  expect(await patch.json()).toMatchObject({ metadata: { labels: { a: 'b' } } });
  // Nobody is shown what it holds, so what was shown says nothing of it, and takes nothing away.
  const shown = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'own', namespace: 'shop' } };
  expect(await actionOf(JSON.stringify({ ...shown, type: 'kubernetes.io/tls' }))).toBe(
    'configured',
  );
  expect((await read(server, BALANCER)).body).toMatchObject({ data: dataOf(other) });
});

test.each<[string, object, string]>([
  [
    'no type',
    { type: undefined },
    'type: Unsupported value: "Opaque": supported values: "kubernetes.io/tls"',
  ],
  [
    'another type',
    { type: 'Opaque' },
    'type: Unsupported value: "Opaque": supported values: "kubernetes.io/tls"',
  ],
  ['no key', { data: { 'tls.crt': base64(own.cert) } }, 'data[tls.key]: Required value'],
  [
    'no base64',
    { data: { ...dataOf(own), 'tls.key': '§' } },
    'data[tls.key]: Invalid value: expected base64',
  ],
  [
    'no certificate',
    { data: { ...dataOf(own), 'tls.crt': base64('x') } },
    'data[tls.crt]: Invalid value: expected a certificate (PEM)',
  ],
  [
    'no private key',
    { data: { ...dataOf(own), 'tls.key': base64('x') } },
    'data[tls.key]: Invalid value: expected a private key (PEM) without a passphrase',
  ],
  [
    'the key of another',
    { data: { ...dataOf(own), 'tls.key': base64(other.key) } },
    'data[tls.key]: Invalid value: expected the private key of the certificate',
  ],
  [
    'the wrong order',
    { data: { ...dataOf(own), 'tls.crt': base64(other.cert + own.cert) } },
    'data[tls.crt]: Invalid value: expected the certificate of the key first',
  ],
  [
    'what the store has',
    { data: dataOf(own), sealed: 'x' },
    'sealed: strict decoding error: unknown field "sealed"',
  ],
])('refused: %s', async (_what, more, message) => {
  const server = await start(...TOKENS, `--secrets-key-file=${keyFile(newKey())}`);
  const { status, body } = await apply(server, secretText({ data: dataOf(own), ...more }));
  expect(status).toBe(422);
  expect(body['message']).toBe(`Secret "own": ${message}`);
  expect((await read(server, BALANCER)).status).toBe(404);
});

test('without a file of keys Secrets are refused, and without tokens nobody reads them', async () => {
  const plain = await start(...TOKENS);
  expect((await apply(plain, secretText({ data: dataOf(own) }))).body).toMatchObject({
    code: 'invalid_manifest',
    message:
      'Secret "own": Forbidden: this registry keeps no Secrets: start it with --secrets-key-file to have them encrypted',
  });
  const open = await start(`--secrets-key-file=${keyFile(newKey())}`);
  expect((await apply(open, secretText({ data: dataOf(own) }), '', '')).status).toBe(200);
  expect((await read(open, '')).body).toMatchObject({
    code: 'forbidden',
    message:
      'without tokens nobody may read what Secrets hold: start the registry with a token that covers secrets:shop',
  });
});

test('an import with a Secret is refused', async () => {
  const server = await start(...TOKENS, `--secrets-key-file=${keyFile(newKey())}`);
  await apply(server, secretText({ data: dataOf(own) }));
  const { body } = await ask(server, ADMIN, 'GET', 'export');
  expect(JSON.stringify(body)).not.toContain('secret/');
  expect((await ask(server, ADMIN, 'POST', 'import', JSON.stringify(body))).status).toBe(200);
  expect((await read(server, BALANCER)).status).toBe(200);
});

test.each([
  ['', /expected at least one key/],
  ['abc', /key 1: expected 32 bytes in base64 or as hex/],
])('a file of keys with %j', async (line, message) => {
  await expect(startTestServer(`--secrets-key-file=${keyFile(line)}`)).rejects.toThrow(message);
});

test('a public address needs TLS for them', async () => {
  const flags = ['--host=0.0.0.0', ...TOKENS, `--secrets-key-file=${keyFile(newKey())}`];
  await expect(startTestServer(...flags)).rejects.toThrow(/--secrets-key-file: private keys would/);
});
