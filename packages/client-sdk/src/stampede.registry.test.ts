import { fileURLToPath } from 'node:url';
import { freePort, startNode, type TestProcess, until } from '@rollcall/testkit';
import { afterEach, expect, inject, test } from 'vitest';
import type { Service } from './api/service.ts';
import type { Registration } from './api/registration.ts';
import { Rollcall } from './rollcall.ts';

const MAIN = fileURLToPath(new URL('../../registry-server/src/main.ts', import.meta.url));

/** Clients that come back at once; `COUNT=10000` for the whole of it. */
const COUNT = Number(process.env['COUNT'] ?? 1_000);
/** Every so manieth client is an instance too; and so many clients share a service. */
const INSTANCE_EVERY = 10;
const CLIENTS_PER_SERVICE = 100;
/** Watches that a server begins in a second; so it takes some seconds to let all of them in. */
const PER_SECOND = Math.ceil(COUNT / 8);
/** Longer than it takes to start two servers on a busy machine while one process runs so many clients, in ms. */
const TTL_MS = 40_000 + COUNT * 5;
/** However many wait at the door, heartbeats do not: so soon after the server is back each lease is renewed, in ms. */
const RENEWED_MS = 10_000 + COUNT * 5;

/** All of them share one process, which may be slow to look at a connection. */
const PATIENT = {
  // A thousand clients would tell one after the other of what is wanted here.
  runtime: { warn: () => {} },
  requestTimeoutMs: 30_000,
  connectTimeoutMs: 30_000,
  reconnectMaxMs: Math.max(1_000, COUNT),
};

const clients: Rollcall[] = [];
const running: TestProcess[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const one of running.splice(0)) await one.stop('SIGKILL');
}, 300_000);

async function startRegistry(port: number, prefix: string): Promise<void> {
  const flags = ['--port', `${port}`, '--store', inject('redisUrl'), '--store-prefix', prefix];
  flags.push('--max-snapshots-per-second', `${PER_SECOND}`, '--max-watches', `${COUNT * 2}`);
  flags.push('--log-level', 'warn', '--warm-up-ms', '0');
  const started = startNode(MAIN, flags);
  running.push(started);
  await until(
    async () => {
      if (started.hasExited) throw new Error(started.output);
      return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
    },
    { withinMs: 60_000 },
  );
}

/** Sum of a metric's samples whose labels match. */
async function metric(url: string, name: string, labels = /./): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && labels.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

test(
  `G7: ${COUNT} clients come back at once to a server that restarted, in turn, and nobody is evicted`,
  { timeout: 60_000 + COUNT * 30 },
  async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const prefix = `stampede-${port}`;
    await startRegistry(port, prefix);
    const instances: Registration[] = [];
    let lost = 0;
    const names = Array.from({ length: COUNT / CLIENTS_PER_SERVICE }, (_, i) => `orders-${i}`);
    for (let i = 0; i < COUNT; i++) {
      const service = names[i % names.length] as string;
      const client = new Rollcall({ url, ...PATIENT });
      clients.push(client);
      if (Math.floor(i / names.length) % INSTANCE_EVERY === 0) {
        const id = `i${i}`;
        const at = { port: 1, address: '127.0.0.1', ttlMs: TTL_MS };
        const one = await client.register({ service, id, ...at });
        one.on('lost', () => lost++);
        one.on('reregistered', () => lost++);
        instances.push(one);
      }
    }
    const services: Service[] = [];
    for (const [i, client] of clients.entries()) {
      services.push(client.service(names[i % names.length] as string));
      if (i % 200 === 199)
        await Promise.all(services.slice(-200).map((one) => one.ready({ endpoints: 0 })));
    }
    await until(async () => (await metric(url, 'rollcall_watch_streams')) === COUNT, {
      withinMs: 60_000,
    });

    await running.pop()?.stop('SIGKILL');
    // Something changes meanwhile, so that nobody can resume without a snapshot.
    const otherPort = await freePort();
    await startRegistry(otherPort, prefix);
    for (const name of names) {
      const late = `http://127.0.0.1:${otherPort}/v1/namespaces/default/services/${name}/instances/late`;
      const body = JSON.stringify({ ports: { http: 1 }, ttlMs: 300_000 });
      const headers = { 'content-type': 'application/json' };
      expect((await fetch(late, { method: 'PUT', headers, body })).status).toBe(200);
    }
    await running.pop()?.stop();
    const backAtMs = performance.now();
    await startRegistry(port, prefix);
    const upAtMs = performance.now();
    const renewedMs = new Map<Registration, number>();
    for (const one of instances) {
      one.on('renewed', () => {
        if (!renewedMs.has(one)) renewedMs.set(one, performance.now() - upAtMs);
      });
    }
    const sees = (service: (typeof services)[number]) =>
      service.snapshot()?.endpoints.some(({ instance }) => instance === 'late') === true;
    await until(() => services.every(sees), { withinMs: 50_000 + COUNT * 20, everyMs: 100 });
    const tookMs = performance.now() - backAtMs;

    const streams = await metric(url, 'rollcall_watch_streams');
    const refused = await metric(url, 'rollcall_refused_total', /snapshot_rate|loop_delay/);
    const label = /route="\/v1\/watch"/;
    const answered = await metric(url, 'rollcall_http_request_seconds_count', label);
    const attempts = (streams + answered) / COUNT;
    const shown = `${COUNT} clients back in ${(tookMs / 1_000).toFixed(1)} s, ${refused} refusals`;
    process.stdout.write(`${shown}, ${attempts.toFixed(2)} attempts for each\n`);
    expect(streams).toBe(COUNT);
    expect(refused).toBeGreaterThan(0);
    // The rate that is let in is what takes the time, not the crowd at the door.
    expect(attempts).toBeLessThan(3);
    expect(lost).toBe(0);
    await until(() => renewedMs.size === instances.length);
    expect(Math.max(...renewedMs.values())).toBeLessThan(RENEWED_MS);
    expect(instances.every(({ state }) => state === 'held')).toBe(true);
    expect(await metric(url, 'rollcall_expired_total')).toBe(0);
    const listed = await fetch(`${url}/v1/namespaces/default/instances`);
    const all = (await listed.json()) as { instances: { service: string; state: string }[] };
    const roll = all.instances.filter(({ service }) => service !== 'rollcall');
    expect(roll).toHaveLength(instances.length + names.length);
    expect(roll.filter(({ state }) => state !== 'up')).toEqual([]);
  },
);
