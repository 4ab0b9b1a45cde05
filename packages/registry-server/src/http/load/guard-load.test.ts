import { BrowserGuard } from '@rollcall/daemon';
import { until } from '@rollcall/testkit';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import type { RegistryServer } from '../../compose.ts';
import { systemClock, systemRandom } from '@rollcall/runtime';
import { ManualClock } from '@rollcall/runtime/testing';
import { startTestServer } from '../../testing/test-server.ts';
import { Tokens } from '../../access/tokens.ts';
import { RouteBinder } from '../bind.ts';
import { buildServer } from '../server.ts';
import { LoadGate } from './load-gate.ts';
import { LoopDelay } from './loop-delay.ts';

const LEASE = `0.10000.${'a'.repeat(32)}`;
const closers: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server of real routes whose handlers wait until they are let go. */
async function slowServer(maxRequestsInFlight: number) {
  const delay = new LoopDelay(new ManualClock());
  const gate = new LoadGate({ maxRequestsInFlight, maxLoopDelayMs: 0 }, delay);
  const app: FastifyInstance = await buildServer({
    logger: pino({ level: 'silent' }),
    maxBodyBytes: 1_000_000,
    https: undefined,
    hasDocs: true,
    version: '0',
    callerKey: () => undefined,
    browserGuard: new BrowserGuard(),
    maxWritesPerSecond: 0,
    gate,
    clock: systemClock,
    random: systemRandom,
  });
  let letGo = () => {};
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  const binder = new RouteBinder(app, new Tokens([]));
  const slow = () => gone.then(() => ({ revision: '1', services: [] }));
  binder.bind('listServices', slow, { isLong: true });
  binder.bind('register', slow, { isLong: true });
  binder.bind('heartbeat', slow, { skipsValidation: true, priority: 'vital' });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  closers.push(
    () => letGo(),
    () => app.close(),
  );
  return { url, gate, letGo };
}

const list = (url: string, signal?: AbortSignal) =>
  fetch(`${url}/v1/namespaces/default/services`, signal === undefined ? {} : { signal });
const heartbeat = (url: string, lease = LEASE) =>
  fetch(`${url}/v1/leases/${lease}`, { method: 'PUT' });
const register = (url: string, id = 'a', body = '{"ports":{"http":1}}') =>
  fetch(`${url}/v1/namespaces/default/services/orders/instances/${id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body,
  });

async function refusalOf(response: Response) {
  const { code } = (await response.json()) as { code: string };
  const after = Number(response.headers.get('retry-after'));
  expect(after).toBeGreaterThanOrEqual(1);
  expect(after).toBeLessThanOrEqual(4);
  return `${response.status} ${code}`;
}

test('G7: with too much under way reads go first, then writes, heartbeats last', async () => {
  const { url, gate, letGo } = await slowServer(2);
  const under = [list(url), list(url)];
  await until(() => gate.inFlight === 2);
  expect(await refusalOf(await list(url))).toBe('503 overloaded');
  under.push(register(url), register(url));
  await until(() => gate.inFlight === 4);
  // Before the body is looked at: this one is no JSON.
  expect(await refusalOf(await register(url, 'b', 'no json'))).toBe('503 overloaded');
  under.push(...Array.from({ length: 4 }, () => heartbeat(url)));
  await until(() => gate.inFlight === 8);
  expect(await refusalOf(await heartbeat(url))).toBe('503 overloaded');
  expect(gate.refusals.counts.get('requests_in_flight')).toBe(3);
  letGo();
  for (const response of await Promise.all(under)) expect(response.ok).toBe(true);
  await until(() => gate.inFlight === 0);
  expect((await list(url)).status).toBe(200);
});

test('G7: who hangs up does not make room for more of the same', async () => {
  const { url, gate, letGo } = await slowServer(1);
  const abort = new AbortController();
  const gone = list(url, abort.signal).catch(() => undefined);
  await until(() => gate.inFlight === 1);
  abort.abort();
  await gone;
  expect(await refusalOf(await list(url))).toBe('503 overloaded');
  letGo();
  await until(() => gate.inFlight === 0);
});

test('those refused are not told all the same', async () => {
  const { url, gate } = await slowServer(1);
  void list(url).catch(() => undefined);
  await until(() => gate.inFlight === 1);
  const refused = await Promise.all(Array.from({ length: 60 }, () => list(url)));
  const told = new Set(refused.map((response) => response.headers.get('retry-after')));
  expect(told.size).toBeGreaterThan(2);
});

/** Holds up this process's event loop, so the server's too, so long in each turn until told otherwise. */
function blockLoop(ms: number): () => void {
  let isOver = false;
  const block = () => {
    const endMs = performance.now() + ms;
    while (performance.now() < endMs);
    if (!isOver) setImmediate(block);
  };
  block();
  return () => (isOver = true);
}

test('G7: with a blocked event loop reads and writes are shed, heartbeats go on, and it ends', async () => {
  const server: RegistryServer = await startTestServer('--max-loop-delay-ms=45');
  closers.push(() => server.close());
  const { url } = server;
  await until(async () => (await list(url)).status === 200);
  const { lease } = (await (await register(url)).json()) as { lease: { id: string } };
  const stop = blockLoop(160);
  try {
    await until(async () => (await register(url, 'b')).status === 503, { withinMs: 15_000 });
    expect(await refusalOf(await list(url))).toBe('503 overloaded');
    expect(await refusalOf(await fetch(`${url}/v1/watch`))).toBe('503 overloaded');
    expect((await heartbeat(url, lease.id)).status).toBe(204);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/rollcall_refused_total\{reason="loop_delay"\} [1-9]/);
    expect(metrics).toMatch(/rollcall_loop_delay_seconds 0\.\d/);
  } finally {
    stop();
  }
  await until(async () => (await list(url)).status === 200);
  expect((await register(url, 'b')).status).toBe(200);
});
