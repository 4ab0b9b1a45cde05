import type { Explanation } from '@rollcall/contract';
import { afterEach, expect, inject, test } from 'vitest';
import { until } from '@rollcall/testkit';
import type { RegistryServer } from '../compose.ts';
import { serviceText } from '../testing/manifest-api.ts';
import { startTestServer } from '../testing/test-server.ts';

const ADMIN = 'admin-token-0123456789';
const TEAM = 'team-token-0123456789';
const BOTH = 'both-token-0123456789';
const FRONT = serviceText('front', { selector: { tier: 'front' }, ports: [{ port: 80 }] });

let server: RegistryServer;
afterEach(() => server.close());

async function call(token: string, method: string, path: string, body?: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const given = body === undefined ? {} : { body };
  const reply = await fetch(`${server.url}/v1/${path}`, { method, headers, ...given });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}

const INSTANCE = 'namespaces/default/services/orders/instances/a';
const register = (token: string, labels: object) =>
  call(token, 'PUT', INSTANCE, JSON.stringify({ ports: { http: 1 }, address: '10.0.0.1', labels }));
const patch = (token: string, labels: object) =>
  call(token, 'PATCH', INSTANCE, JSON.stringify({ labels }));
const declare = () => call(ADMIN, 'POST', 'apply', FRONT);

async function behindFront(): Promise<unknown[]> {
  const { body } = await call(ADMIN, 'GET', 'namespaces/default/services/front/endpoints');
  return (body['endpoints'] as { id: string }[]).map(({ id }) => id);
}

const stores = {
  memory: () => [],
  redis: () => [`--store=${inject('redisUrl')}`, `--store-prefix=labels-${Math.random()}`],
};

test.each(Object.entries(stores))(
  'on %s: labels that are set before a service selects them give nobody its traffic',
  async (_, flags) => {
    server = await startTestServer(
      `--token=${ADMIN}`,
      `--token=${TEAM}=register:orders`,
      `--token=${BOTH}=register:orders,register:default/front`,
      ...flags(),
    );
    await until(async () => (await fetch(`${server.url}/readyz?for=writes`)).ok);
    // By registering in advance.
    expect((await register(TEAM, { tier: 'front' })).status).toBe(200);
    expect((await declare()).status).toBe(200);
    expect(await behindFront()).toEqual([]);
    const { body } = await call(ADMIN, 'GET', 'namespaces/default/services/front/explain');
    expect(
      (body as unknown as Explanation).instances.find((one) => one.instance === 'a'),
    ).toMatchObject({
      isEndpoint: false,
      reasons: [expect.stringContaining('does not cover register:default/front')],
    });
    // By registering or patching later.
    expect((await register(TEAM, { tier: 'front' })).status).toBe(403);
    expect((await patch(TEAM, { tier: 'front' })).status).toBe(403);
    // An admin may say so, and one whose token covers both.
    expect((await patch(ADMIN, { tier: 'front' })).status).toBe(200);
    expect(await behindFront()).toEqual(['orders/a/']);
    // By patching in advance.
    await call(ADMIN, 'DELETE', 'namespaces/default/manifests/svc/front');
    expect((await patch(TEAM, { tier: 'front' })).status).toBe(200);
    await declare();
    expect(await behindFront()).toEqual([]);
    expect((await patch(BOTH, { tier: 'front' })).status).toBe(200);
    expect(await behindFront()).toEqual(['orders/a/']);
    // Its own service, and whoever selects by its name, is no question of tokens.
    expect((await register(TEAM, { tier: 'back' })).status).toBe(200);
    const own = serviceText('own', {
      selector: { app: 'orders', tier: 'back' },
      ports: [{ port: 1 }],
    });
    await call(ADMIN, 'POST', 'apply', own);
    const { body: resolved } = await call(
      ADMIN,
      'GET',
      'namespaces/default/services/own/endpoints',
    );
    expect(resolved['endpoints']).toHaveLength(1);
  },
);
