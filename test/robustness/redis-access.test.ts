import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { findRedisBinary, freePort, RedisProcess, until } from '@rollcall/testkit';
import { Scene } from '../support/scene.ts';

const TTL_MS = 3_000;
const folder = new URL('../../packages/registry-server/src/testing/tls/', import.meta.url);
const file = (name: string) => fileURLToPath(new URL(name, folder));

let scene: Scene;
afterEach(() => scene.close());

test('over TLS, as an ACL user who may do no more than the roll needs', async ({ skip }) => {
  scene = new Scene({ ttlMs: TTL_MS });
  const binary = await findRedisBinary();
  if (binary === undefined) throw new Error('no redis-server on this machine');
  const tlsPort = await freePort();
  const args = [
    ['--tls-port', `${tlsPort}`, '--tls-auth-clients', 'no'],
    ['--tls-cert-file', file('server.pem'), '--tls-key-file', file('server.key')],
    ['--tls-ca-cert-file', file('server.pem')],
    ['--user', 'roll', 'on', '>secret', '~rollcall:*', '&rollcall:*', '+@all', '-@admin'],
    ['-@dangerous', '+info'],
    ['--user', 'default', 'off'],
  ].flat();
  let redis: RedisProcess;
  try {
    redis = await RedisProcess.start(binary, { args });
  } catch (error) {
    if (/TLS|tls/.test((error as Error).message)) return skip('this Redis was built without TLS');
    throw error;
  }
  scene.onClose(() => redis.close());
  const start = (user: string) =>
    scene.stack.registry(['--store', `rediss://${user}@127.0.0.1:${tlsPort}`], undefined, {
      NODE_EXTRA_CA_CERTS: file('server.pem'),
    });
  const servers = await Promise.all([start('roll:secret'), start('roll:secret')]);
  const urls = servers.map(({ url }) => url);
  const [, b] = await scene.actors(['a', 'b', 'c'], { urls });
  const service = await scene.watch('sdk', urls);
  for (const [i, url] of urls.entries()) scene.rawWatch(`stream${i}`, [url]);
  const calls = scene.call('sdk', service);
  await calls.answers(50);
  b?.kill();
  await until(() => service.endpoints().length === 2);
  const beganMs = performance.now();
  await until(() => performance.now() - beganMs > TTL_MS * 1.5);
  await scene.inUse(service, ['a', 'c'], 100);
  const { figures } = await scene.verdict('Redis with TLS and ACL');
  expect(figures.falseEvictions).toBe(0);
  return undefined;
}, 180_000);
