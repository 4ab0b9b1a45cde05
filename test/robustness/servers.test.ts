import { afterEach, expect, test } from 'vitest';
import { findRedisBinary, RedisProcess, until } from '@rollcall/testkit';
import { monotonicMs } from '../support/monotonic.ts';
import { Scene } from '../support/scene.ts';
import type { RegistryProcess } from '../support/stack.ts';

const TTL_MS = 3_000;
const NAMES = ['a', 'b', 'c'];

let scene: Scene;
afterEach(() => scene.close());

/** So many registry servers on one Redis, three instances, a client, and a reader of each server's stream. */
async function begin(count: number, more: readonly string[] = []) {
  scene = new Scene({ ttlMs: TTL_MS });
  const binary = await findRedisBinary();
  if (binary === undefined) throw new Error('no redis-server on this machine');
  const redis = await RedisProcess.start(binary);
  scene.onClose(() => redis.close());
  const flags = ['--store', redis.url, ...more];
  const servers = await Promise.all(
    Array.from({ length: count }, () => scene.stack.registry(flags)),
  );
  const urls = servers.map(({ url }) => url);
  await scene.actors(NAMES, { urls });
  const service = await scene.watch('sdk', urls);
  scene.rawWatch('stream', urls);
  const calls = scene.call('sdk', service);
  await calls.answers(50);
  return { servers, urls, service, calls, flags };
}

/** Everybody in use at every moment: not even a doubt. */
function expectNoDoubt(): void {
  const pictures = scene.history.events.filter((one) => one.kind === 'seen');
  const doubted = pictures.flatMap(({ endpoints }) => endpoints.filter(({ tier }) => tier !== 0));
  expect(doubted).toEqual([]);
}

test('G1, G3, G8: a rolling restart of three registry servers under load: watches and holds move, nobody is doubted or evicted, no request fails, none is done twice', async () => {
  const { servers, service, calls, flags } = await begin(3);
  for (const { process, port } of servers) {
    const heal = scene.fault(`restart of the server at ${port}`);
    expect(await process.stop('SIGTERM')).toBe(0);
    await scene.stack.registry(flags, port);
    heal();
    await calls.answers(50);
    await scene.inUse(service, NAMES, 1_000);
  }
  await scene.quiet();
  const { figures } = await scene.verdict('rolling restart of three servers');
  expect(figures).toMatchObject({ falseEvictions: 0, requestsFailed: 0 });
  expectNoDoubt();
}, 180_000);

test('G1, G2, G3, G8: registry servers killed one after another: the other serves on, nobody is evicted, and the dead are found out all the same', async () => {
  const { servers, urls, service, calls, flags } = await begin(2);
  const victim = await scene.actor('victim', { urls });
  await scene.inUse(service, [...NAMES, 'victim']);
  const restart = async ({ process, port }: RegistryProcess) => {
    const heal = scene.fault(`kill of the server at ${port}`);
    await process.stop('SIGKILL');
    await calls.answers(100);
    await scene.stack.registry(flags, port);
    heal();
    await scene.inUse(service, [...NAMES, ...(victim.process.hasExited ? [] : ['victim'])]);
    await scene.quiet();
  };
  for (const server of servers) await restart(server);
  victim.kill();
  const killedMs = monotonicMs();
  await until(() => service.endpoints().length === NAMES.length, { withinMs: 5_000 });
  const goneMs = monotonicMs() - killedMs;
  const { figures } = await scene.verdict(
    `servers killed; a death gone after ${goneMs.toFixed(0)} ms`,
  );
  expect(figures.falseEvictions).toBe(0);
  expect(figures.requestsFailed).toBe(figures.unrepeatableFailed);
}, 180_000);

test('G8: a rolling restart of two load balancers behind one list of addresses fails no request and repeats no other', async () => {
  const { urls } = await begin(1);
  const start = (port?: number) =>
    scene.stack.balancer(urls, { service: 'work', ...(port === undefined ? {} : { port }) });
  const balancers = [await start(), await start()];
  const calls = scene.callUrls(
    'through balancers',
    balancers.map(({ url }) => url),
  );
  await calls.answers(100);
  for (const { process, url } of balancers) {
    expect(await process.stop('SIGTERM')).toBe(0);
    await calls.answers(100);
    await start(Number(new URL(url).port));
    await calls.answers(100);
  }
  const { figures } = await scene.verdict('rolling restart of balancers');
  expect(figures.requestsFailed).toBe(0);
}, 180_000);

test('G3, G4: a registry server that hung (SIGSTOP) while the log was trimmed past it reads the roll anew; nobody is evicted, no request fails', async () => {
  const { servers, urls, service, calls } = await begin(2, ['--log-entries', '100']);
  const [hung, other] = servers;
  const [hungUrl, otherUrl] = urls;
  if (hung === undefined || other === undefined) throw new Error('two servers are needed');
  scene.rawWatch('behind', [hungUrl ?? '']);
  await until(() =>
    scene.history.events.some((one) => one.kind === 'seen' && one.watcher === 'behind'),
  );
  const heal = scene.fault('server hung', 'registry', 'behind');
  hung.process.signal('SIGSTOP');
  const path = '/v1/namespaces/default/services/churn/instances';
  for (let i = 0; i < 600; i++) {
    const body = JSON.stringify({ ports: { http: 1 }, ttlMs: 60_000, weight: 1 + i });
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`${otherUrl}${path}/one`, { method: 'PUT', headers, body });
    expect(reply.status).toBe(200);
  }
  await scene.actor('late', { urls: [otherUrl ?? ''] });
  hung.process.signal('SIGCONT');
  heal();
  await scene.inUse(service, [...NAMES, 'late']);
  const weightAt = async (url: string) =>
    ((await (await fetch(`${url}${path}/one`)).json()) as { weight: number }).weight;
  await until(async () => (await weightAt(hungUrl ?? '')) === 600);
  await calls.answers(50);
  await scene.quiet();
  const { figures } = await scene.verdict('a server behind a trimmed log');
  expect(figures).toMatchObject({ falseEvictions: 0, requestsFailed: 0 });
}, 180_000);
