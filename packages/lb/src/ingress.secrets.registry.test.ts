import { randomBytes } from 'node:crypto';
import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { TestAuthority, type TestCertificate } from '@rollcall/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { FileBench, startTarget } from './testing/file-bench.ts';
import { getOver, openTls } from './testing/tls-balancer.ts';
import { TlsFiles } from './testing/tls-files.ts';

const WAIT = { timeout: 30_000 };
const ADMIN = 'admin-token-of-the-test';
const BALANCER = 'balancer-token-of-the-test';

/** A registry that keeps Secrets, with a service `orders`, and a client that may declare. */
async function startRegistry(scopes = 'read:*,report:*,secrets:*') {
  const files = new TlsFiles();
  const keys = files.write('secrets.key', randomBytes(32).toString('base64'));
  const registry = await startTestServer(
    `--token=${ADMIN}`,
    `--token=${BALANCER}=${scopes}`,
    `--secrets-key-file=${keys}`,
  );
  onTestFinished(() => registry.close());
  const client = new Rollcall({ url: registry.url, token: ADMIN });
  onTestFinished(() => client.close());
  const port = await startTarget('orders');
  await client.register({ service: 'orders', port, address: '127.0.0.1', signals: false });
  return { registry, client, files };
}

const apply = (client: Rollcall, ...objects: object[]) =>
  client.call('apply', { body: objects.map((one) => JSON.stringify(one)).join('\n---\n') });

const secret = (name: string, { cert, key }: TestCertificate) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': cert, 'tls.key': key },
});

const ingress = (name: string, ...tls: object[]) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: { defaultBackend: { service: { name: 'orders', port: { name: 'http' } } }, tls },
});

const partsFor = (url: string, certificates = '', more = '') => ({
  listeners: `[{ name: web, port: 0, protocol: https, tls: { certificates: [${certificates}] } }]`,
  more: `registry: { url: "${url}", token: ${BALANCER} }\ningress: { listener: web }\n${more}`,
});

/** The serial number of the certificate that a client gets, or the fault of the handshake. */
async function servedFor(bench: FileBench, servername: string, ca: string): Promise<string> {
  try {
    const socket = await openTls(bench.port(), { ca, servername });
    const { serialNumber } = socket.getPeerCertificate();
    expect(await getOver(socket)).toContain('orders');
    return serialNumber;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

test.each([
  ['one process', ''],
  ['workers', 'workers: 2'],
])('the Secrets of Ingresses are served by name, and replaced: %s', async (_what, more) => {
  const { registry, client } = await startRegistry();
  const authority = new TestAuthority();
  const { cert: ca } = authority;
  const [shop, wild, next] = [['shop.test'], ['*.wild.test'], ['shop.test']].map((names) =>
    authority.issue({ names }),
  );
  await apply(client, secret('shop', shop!), secret('wild', wild!), secret('unused', next!));
  await apply(
    client,
    ingress(
      'shop',
      { hosts: ['shop.test'], secretName: 'shop' },
      { hosts: ['a.wild.test', 'else.test'], secretName: 'wild' },
    ),
  );
  const bench = await FileBench.start(partsFor(registry.url, '', more));
  // They are known when it begins to listen.
  const first = await servedFor(bench, 'shop.test', ca);
  expect(first).toMatch(/^[0-9A-F]+$/);
  expect(await servedFor(bench, 'a.wild.test', ca)).toMatch(/^[0-9A-F]+$/);
  // Only the hosts that the Ingress names, and no others of the certificate.
  for (const name of ['b.wild.test', 'else.test', 'none.test'])
    expect(await servedFor(bench, name, ca)).toMatch(/^(ERR_SSL|ECONNRESET)/);
  const open = await openTls(bench.port(), { ca, servername: 'shop.test' });
  await apply(client, secret('shop', next!));
  const second = async () => (await servedFor(bench, 'shop.test', ca)) !== first;
  await expect.poll(second, WAIT).toBe(true);
  expect(await servedFor(bench, 'shop.test', ca)).toMatch(/^[0-9A-F]+$/);
  expect(await getOver(open)).toContain('orders');
  await client.call('deleteManifest', { params: { ns: 'default', kind: 'Secret', name: 'shop' } });
  await expect.poll(() => servedFor(bench, 'shop.test', ca), WAIT).toMatch(/^(ERR_SSL|ECONNRESET)/);
  expect(await servedFor(bench, 'a.wild.test', ca)).toMatch(/^[0-9A-F]+$/);
  const log = bench.lines.join('\n');
  expect(log).toContain('Ingress default/shop: Secret default/shop: there is none');
  expect(log).not.toMatch(/PRIVATE KEY|refused/);
  const report = await (await fetch(`${bench.admin}/certificates`)).text();
  expect(report).toContain('"file":"tls.crt of Secret default/wild"');
  expect(report).not.toContain('PRIVATE KEY');
});

test('a certificate of the file goes before that of a Secret, and an exact name before both', async () => {
  const { registry, client, files } = await startRegistry();
  const { authority } = files;
  const own = files.issue('own', { names: ['shop.test', '*.shop.test'] });
  const other = authority.issue({ names: ['shop.test', 'a.shop.test'] });
  await apply(client, secret('shop', other), ingress('shop', { secretName: 'shop' }));
  const { cert, key } = own.files;
  const bench = await FileBench.start(partsFor(registry.url, `{ cert: ${cert}, key: ${key} }`));
  const ca = authority.cert;
  const ofFile = await servedFor(bench, 'none.test.shop.test', ca).catch(() => '');
  const served = await servedFor(bench, 'shop.test', ca);
  const exact = await servedFor(bench, 'a.shop.test', ca);
  expect(await servedFor(bench, 'b.shop.test', ca)).toBe(served);
  expect(exact).toMatch(/^[0-9A-F]+$/);
  expect(exact).not.toBe(served);
  // A name that no certificate is for gets the first one of the file, which does not fit it.
  expect(ofFile).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
});

test('without the scope they are not used, the log says so once, and the routes are', async () => {
  const { registry, client, files } = await startRegistry('read:*,report:*');
  const own = files.issue('own', { names: ['shop.test'] });
  const { cert, key } = own.files;
  const other = files.authority.issue({ names: ['a.test'] });
  await apply(client, secret('other', other));
  await apply(client, ingress('shop', { hosts: ['a.test'], secretName: 'other' }));
  const bench = await FileBench.start(partsFor(registry.url, `{ cert: ${cert}, key: ${key} }`));
  expect(await servedFor(bench, 'shop.test', files.authority.cert)).toMatch(/^[0-9A-F]+$/);
  const note =
    'Ingress default/shop: Secret default/other: not used: the token does not cover secrets:default';
  await expect.poll(() => bench.lines, WAIT).toContain(note);
  await apply(client, ingress('more', { hosts: ['b.test'] }));
  const next = 'Ingress default/more: no certificate of listener web is for b.test';
  await expect.poll(() => bench.lines, WAIT).toContain(next);
  expect(bench.lines.filter((line) => line === note)).toHaveLength(1);
});
