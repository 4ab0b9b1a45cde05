import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestAuthority, until } from '@rollcall/testkit';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startTestServer } from '../testing/test-server.ts';

const ADMIN = 'admin-token-of-the-test';
const BALANCER = 'balancer-token-of-the-test';

/** Two servers of one roll, which have the same key. */
async function startPair() {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-ingress-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const keys = join(folder, 'secrets.key');
  writeFileSync(keys, randomBytes(32).toString('base64'));
  const flags = [
    `--store=${inject('redisUrl')}`,
    `--store-prefix=ingress-${process.pid}`,
    `--token=${ADMIN}`,
    `--token=${BALANCER}=read:*,report:*,secrets:*`,
    `--secrets-key-file=${keys}`,
  ];
  const start = async () => {
    const server = await startTestServer(...flags);
    onTestFinished(() => server.close());
    await until(async () => (await fetch(`${server.url}/readyz?for=writes`)).ok);
    return async (method: string, path: string, body?: object, token = ADMIN) => {
      const reply = await fetch(`${server.url}/v1/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
    };
  };
  return [await start(), await start()] as const;
}

test('classes, reports and Secrets of one server count at another', async () => {
  const [one, two] = await startPair();
  const applied = async (body: object) =>
    expect(await one('POST', 'apply', body)).toMatchObject({ status: 200 });
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  await applied({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'inside', annotations },
    spec: { controller: 'rollcall.dev/ingress' },
  });
  const classPath = 'namespaces/shop/manifests/ingressclass/inside';
  await expect.poll(async () => (await two('GET', classPath)).status).toBe(200);
  await two('POST', 'apply', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web' },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  });
  const path = 'namespaces/default/manifests/ingress/web';
  const shown = async () => (await one('GET', path)).body;
  await expect.poll(shown).toMatchObject({ spec: { ingressClassName: 'inside' } });
  const report = { loadBalancer: [{ ip: '127.0.0.9' }], forMs: 1_000 };
  await two('PUT', 'namespaces/default/ingresses/web/reports/lb', report, BALANCER);
  await expect
    .poll(shown)
    .toMatchObject({ status: { loadBalancer: { ingress: [{ ip: '127.0.0.9' }] } } });
  await expect.poll(shown, { timeout: 10_000 }).toMatchObject({ status: { loadBalancer: {} } });
  const { cert, key } = new TestAuthority().issue({ names: ['shop.test'] });
  await applied({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'own' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': cert, 'tls.key': key },
  });
  const read = () => two('GET', 'namespaces/default/secrets/own', undefined, BALANCER);
  await expect.poll(async () => (await read()).status).toBe(200);
  const { data } = (await read()).body as { data: Record<string, string> };
  expect(Buffer.from(data['tls.key']!, 'base64').toString()).toBe(key);
});
