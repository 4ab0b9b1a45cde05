// What does it cost to carry HTTP, compared with nginx, HAProxy and two proxies for Node.js?
//
// By processor time of the proxy for each request, with access log, metrics and P2C on, against the least connections of
// nginx and HAProxy: 1 KB kept alive >= 1.0x HAProxy, >= 0.95x nginx, >= 6x http-proxy; a connection for each request
// >= 0.7x nginx; 1 MB >= 1.3x nginx; 1 KB kept alive over TLS >= 0.7x nginx, full handshakes without a budget; two workers >= 1.7x of one. Each proxy has one thread on core 0, in turn with the others; load and instances
// (raw sockets) are on core 1. nginx and HAProxy are optional: `apt-get install nginx haproxy`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endOnSignals } from '../support/ending.ts';
import { sayMachine } from '../support/machine.ts';
import { CORE, pinProcess, startPinnedNode } from '../support/placement.ts';
import { enroll, startRegistry } from '../support/registry.ts';
import {
  addSamples,
  type Contestant,
  printRounds,
  ratioOf,
  runRounds,
  type Samples,
  verdict,
} from '../support/rounds.ts';
import { median, short } from '../support/statistics.ts';
import { printTable, say } from '../support/table.ts';
import { idleBytes } from './idle.ts';
import { latencyAt } from './latency.ts';
import { bigLoad, freshLoad, freshTlsLoad, keptLoad, type Load } from './load.ts';
import { compareWorkers } from './workers.ts';
import {
  type Proxy,
  startBalancer,
  startHaproxy,
  startNginx,
  startNodeProxy,
  writeCertificate,
} from './proxies.ts';

const OURS = 'rollcall-lb, auto';
const CONNECTIONS = 32;
const ROUNDS = 9;
const SAMPLE_MS = 1_000;
/** A process that may open 20,000 files carries fewer than 10,000 clients, with a connection to a target for each. */
const IDLE_CONNECTIONS = 9_000;
const LEASE_MS = 60_000;

const wanted = process.argv.slice(2);
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);

endOnSignals();
pinProcess(process.pid, CORE.rest);
const folder = mkdtempSync(join(tmpdir(), 'bench-lb-'));
const backend = startPinnedNode(CORE.rest, join(import.meta.dirname, 'backend.ts'));
const [, list = ''] = await backend.printed(/ports (.*)\n/);
const backends = list.split(' ').map(Number);
const registry = await startRegistry({ store: 'memory', core: CORE.rest });
await enroll(registry, backends, 'http');
const renewal = setInterval(() => void enroll(registry, backends, 'http'), LEASE_MS);
const pem = writeCertificate(folder);
const given = { folder, registryUrl: registry.url, backends, pem };
const started = [
  await startBalancer(given, 'auto'),
  await startBalancer(given, 'net'),
  await startNginx(given),
  await startHaproxy(given),
  await startNodeProxy(given, 'http-proxy'),
  await startNodeProxy(given, 'reply-from'),
];
const proxies = started.filter((proxy) => proxy !== undefined);
sayMachine(proxies.map(({ version }) => version));

if (isWanted('kept')) {
  say(`1 KB, ${CONNECTIONS} connections kept alive`);
  const loads = await Promise.all(proxies.map(({ port }) => keptLoad(port, CONNECTIONS)));
  const samples = await measure(proxies, (at) => loads[at]!.run);
  compare(samples, { haproxy: 1, nginx: 0.95, 'http-proxy': 6 });
  loads.forEach((load) => load.close());
}
if (isWanted('fresh')) {
  say(`1 KB, a connection for each request, ${CONNECTIONS} at a time`);
  const samples = await measure(proxies, (at) => freshLoad(proxies[at]!.port, CONNECTIONS));
  compare(samples, { nginx: 0.7, haproxy: 0.6 });
}
if (isWanted('big')) {
  say('1 MB, 8 connections kept alive');
  const loads = proxies.map(({ port }) => bigLoad(port, 8));
  const samples = await measure(proxies, (at) => loads[at]!.run);
  compare(samples, { nginx: 1.3, haproxy: 1.2 });
  loads.forEach((load) => load.close());
}
const overTls = proxies.filter(({ tlsPort }) => tlsPort !== undefined);
if (isWanted('tls')) {
  say(`1 KB over TLS, ${CONNECTIONS} connections kept alive`);
  const loads = await Promise.all(
    overTls.map(({ tlsPort }) => keptLoad(tlsPort!, CONNECTIONS, true)),
  );
  const samples = await measure(overTls, (at) => loads[at]!.run);
  compare(samples, { nginx: 0.7 });
  loads.forEach((load) => load.close());
}
if (isWanted('handshake')) {
  say(`1 KB, a connection and a full handshake for each request, ${CONNECTIONS} at a time`);
  const samples = await measure(overTls, (at) => freshTlsLoad(overTls[at]!.tlsPort!, CONNECTIONS));
  compare(samples, { nginx: 0 });
}
if (isWanted('latency')) await compareLatency(4_000);
if (isWanted('idle')) await compareIdle();
if (isWanted('workers')) await compareWorkers(folder);

clearInterval(renewal);
for (const proxy of proxies) await proxy.close();
await registry.process.stop();
await backend.stop();
rmSync(folder, { recursive: true });

/**
 * Ours against each of the others, A B A B. Only two take turns: a pause of seconds costs a program for Node.js more than
 * one that is compiled, and a balancer under load has none.
 */
async function measure(
  [ours, ...others]: readonly Proxy[],
  loadOf: (at: number) => Load,
): Promise<Map<string, Samples>> {
  const contestantOf = ({ name, pid }: Proxy, at: number): Contestant => ({
    name,
    pid,
    others: { backend: backend.pid },
    run: loadOf(at),
  });
  const own = contestantOf(ours!, 0);
  const pairs = new Map<string, Samples>();
  for (const [i, other] of others.entries()) {
    const pair = [own, contestantOf(other, i + 1)];
    pairs.set(other.name, await runRounds(pair, { rounds: ROUNDS, sampleMs: SAMPLE_MS }));
  }
  const all: Samples = new Map();
  for (const pair of pairs.values()) addSamples(all, pair);
  printRounds(all, 'request');
  return pairs;
}

function compare(
  pairs: ReadonlyMap<string, Samples>,
  budgets: Readonly<Record<string, number>>,
): void {
  for (const [name, budget] of Object.entries(budgets)) {
    const samples = pairs.get(name);
    if (samples === undefined) say(`${name} is not installed here: no comparison with it.`);
    else {
      const { cpu } = ratioOf(samples.get(OURS)!, samples.get(name)!);
      verdict(`of ${name}, by processor time`, cpu, `>= ${budget}`, cpu >= budget);
    }
  }
  say();
}

/** What each proxy adds to the latency at a rate that none of the fast ones finds hard. */
async function compareLatency(perSecond: number): Promise<void> {
  say(`added latency at ${perSecond} requests of 1 KB per second, medians of 5`);
  const ports = new Map([
    ['(direct)', backends[0]!],
    ...proxies.map(({ name, port }) => [name, port] as const),
  ]);
  const taken = new Map(
    [...ports.keys()].map((name) => [name, [] as { p50: number; p99: number }[]]),
  );
  for (let round = 0; round < 5; round++)
    for (const [name, port] of ports)
      taken.get(name)!.push(await latencyAt(port, perSecond, 2_000));
  const of = (name: string, which: 'p50' | 'p99') =>
    median(taken.get(name)!.map((latency) => latency[which]));
  const rows = [...ports.keys()].map((name) => [
    name,
    ...(['p50', 'p99'] as const).map((which) =>
      (name === '(direct)' ? of(name, which) : of(name, which) - of('(direct)', which)).toFixed(2),
    ),
  ]);
  printTable(['', 'p50 ms', 'p99 ms'], rows);
}

async function compareIdle(): Promise<void> {
  say(`memory of ${IDLE_CONNECTIONS} idle connections, each after one request`);
  const rows: string[][] = [];
  for (const proxy of proxies) {
    const bytes = await idleBytes(proxy, IDLE_CONNECTIONS);
    rows.push([proxy.name, short(bytes / 1_024)]);
  }
  printTable(['', 'KiB each'], rows);
}
