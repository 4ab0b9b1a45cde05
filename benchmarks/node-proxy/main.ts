// How soon does a machine's proxy apply a change, with 1,000 declared services, and does it share connections evenly?
//
// Budgets: from writing a registration or deregistration to the first connection through the cluster IP that reflects
// it, p99 <= 100 ms; 1,000 connections over 3 instances within 5 %. The registry (memory) is on core 0; the proxy, the
// instances and the caller share core 1. Connections are tried one after another, so a change is noticed up to one
// connection (well below 1 ms) late.
import { fileURLToPath } from 'node:url';
import { Rollcall } from '@rollcall/client-sdk';
import { until } from '@rollcall/testkit';
import { endOnSignals } from '../support/ending.ts';
import { sayMachine } from '../support/machine.ts';
import { CORE, pinProcess, startPinnedNode } from '../support/placement.ts';
import { startRegistry } from '../support/registry.ts';
import { verdict } from '../support/rounds.ts';
import { quantile } from '../support/statistics.ts';
import { printTable, say } from '../support/table.ts';
import { type Backend, startBackend, untilAnswer, whoAnswers } from './caller.ts';

const PROXY = fileURLToPath(new URL('../../packages/node-proxy/src/main.ts', import.meta.url));
const SERVICES = 1_000;
const CHANGES = 300;
const BUDGET_MS = 100;
const CONNECTIONS = 1_000;
const PORT = 8_080;

endOnSignals();
pinProcess(process.pid, CORE.rest);
sayMachine([]);
const registry = await startRegistry({ store: 'memory' });
const client = new Rollcall({ url: registry.url, requestTimeoutMs: 60_000 });
await declareServices();
const flags = ['--registry', registry.url, '--metrics', '127.0.0.1:0'];
const proxy = startPinnedNode(CORE.rest, PROXY, flags);
const [, admin = ''] = await proxy.printed(/"admin":"([^"]+)"/);
const addresses = await until(addressesBound, { withinMs: 60_000, everyMs: 250 });

const up: number[] = [];
const down: number[] = [];
const backend = await startBackend('one');
for (let change = -20; change < CHANGES; change++) {
  const [service, host] = addresses[(change * 37 + SERVICES) % SERVICES]!;
  const upMs = await timeTo(host, 'one', () => register(service, 'one', backend));
  const downMs = await timeTo(host, 'ECONNRESET', () => deregister(service, 'one'));
  if (change < 0) continue;
  up.push(upMs);
  down.push(downMs);
}
const shares = await shareConnections();

say(`${SERVICES} services; from a write to the first connection that goes by it, in ms:\n`);
printTable(
  ['change', 'p50', 'p99', 'largest'],
  [
    ['an instance registers', ...quantiles(up)],
    ['an instance leaves', ...quantiles(down)],
  ],
);
say(`${CONNECTIONS} connections over 3 instances: ${shares.join(', ')}\n`);
for (const [name, times] of [
  ['registers', up],
  ['leaves', down],
] as const) {
  const p99 = quantile(times, 0.99);
  verdict(`an instance ${name}, p99, ms`, p99, `<= ${BUDGET_MS}`, p99 <= BUDGET_MS);
}
const even = CONNECTIONS / 3;
const off = Math.max(...shares.map((count) => Math.abs(count - even) / even));
verdict('largest share off the even one', off, '<= 0.05', off <= 0.05);
backend.close();
await proxy.stop();
await client.close();
await registry.process.stop();

function quantiles(times: readonly number[]): string[] {
  return [0.5, 0.99, 1].map((ratio) => quantile(times, ratio).toFixed(2));
}

async function declareServices(): Promise<void> {
  const manifest = (at: number) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `s${at}` },
    spec: { ports: [{ port: PORT, targetPort: 'http' }], selector: { app: `s${at}` } },
  });
  for (let from = 0; from < SERVICES; from += 100) {
    const items = Array.from({ length: 100 }, (_, at) => manifest(from + at));
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await client.call('apply', { body });
  }
}

/** Services and their cluster IPs once all of them are bound; undefined before. */
async function addressesBound(): Promise<[service: string, host: string][] | undefined> {
  const answer = await fetch(`${admin}/services`);
  const { services } = (await answer.json()) as {
    services: { service: string; addresses: { address: string; state: string }[] }[];
  };
  const bound = services.flatMap(({ service, addresses: [first] }) =>
    first?.state === 'bound'
      ? [[service.split('/')[1]!, first.address.split(':')[0]!] as [string, string]]
      : [],
  );
  // The registry itself is also a service.
  const own = bound.filter(([service]) => service.startsWith('s'));
  return own.length === SERVICES ? own : undefined;
}

async function register(service: string, id: string, { port }: Backend): Promise<void> {
  const params = { ns: 'default', svc: service, id };
  await client.call('register', { params, body: { ports: { http: port }, ttlMs: 300_000 } });
}

async function deregister(service: string, id: string): Promise<void> {
  await client.call('deregister', { params: { ns: 'default', svc: service, id } });
}

async function timeTo(host: string, answer: string, write: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  const seen = untilAnswer({ host, port: PORT }, answer);
  await Promise.all([write(), seen]);
  return (await seen) - beganMs;
}

async function shareConnections(): Promise<number[]> {
  const [service, host] = addresses[0]!;
  const names = ['a', 'b', 'c'];
  const backends = await Promise.all(names.map(startBackend));
  for (const [at, one] of backends.entries()) await register(service, names[at]!, one);
  const seen = new Map(names.map((name) => [name, 0]));
  await until(async () => (await whoAnswers({ host, port: PORT })) === 'c');
  for (let i = 0; i < CONNECTIONS; i++) {
    const name = await whoAnswers({ host, port: PORT });
    seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  for (const one of backends) one.close();
  return [...seen.values()];
}
