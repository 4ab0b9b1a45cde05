// How many heartbeats does one core of a registry server take, singly and batched, beside etcd's lease keepalive?
//
// Budgets: at least 30,000 a second singly (PUT /v1/leases/{lease}) with Redis behind, 300,000 leases a second batched
// (POST /v1/leases/renew) with 100,000 leases on the roll, and 1.3 times etcd. The server under test has core 0 for
// itself; the load generator and Redis share core 1. "core used" near 100 % says that the server was the limit.
//
// etcd answers over its own protocol (gRPC, 8 streams with 8 messages under way: the best of seven settings tried
// with version 3.4) and over its JSON gateway. It is a consensus store, but a keepalive is answered from its leader's
// memory; Redis runs without an append-only file, since renewals survive in neither.
import { startEtcd } from '../support/etcd.ts';
import { HttpLoad, type NextRequest, requestBytes } from '../support/http-load.ts';
import { sayMachine } from '../support/machine.ts';
import { CORE, pinProcess } from '../support/placement.ts';
import { startRedis } from '../support/redis.ts';
import { type RegistryProcess, startRegistry } from '../support/registry.ts';
import {
  type Contestant,
  printRounds,
  ratioOf,
  runRounds,
  type Sample,
  verdict,
} from '../support/rounds.ts';
import { median } from '../support/statistics.ts';
import { say } from '../support/table.ts';
import { grantLeases, GrpcKeepAlive } from './etcd-leases.ts';
import { fillRoll, inTurn } from './roll.ts';

const LEASES = 100_000;
const ETCD_LEASES = 10_000;
const CONNECTIONS = 64;
const BATCH_CONNECTIONS = 8;
const BATCHES = [100, 1_000];
const ROUNDS = { rounds: 4, sampleMs: 1_000 };

pinProcess(process.pid, CORE.rest);
const etcd = await startEtcd();
const redis = await startRedis();
sayMachine([redis?.version, etcd?.version]);
if (etcd === undefined) say('etcd is not installed here: no comparison with it.\n');
if (redis === undefined) say('No Redis to be had here: memory store only.\n');

// While the rolls are filled both cores work; then everything goes to its place.
const memory = await startRegistry({ store: 'memory' });
const shared = redis && (await startRegistry({ store: redis.url, core: CORE.rest }));
say(`Filling the rolls with ${LEASES.toLocaleString('en')} leases each.\n`);
const [memoryLeases, sharedLeases] = await Promise.all([
  fillRoll(memory.port, LEASES),
  shared === undefined ? [] : fillRoll(shared.port, LEASES),
]);
if (shared !== undefined) pinProcess(shared.process.pid, CORE.tested);

interface Served {
  readonly name: string;
  readonly server: RegistryProcess;
  readonly leases: readonly string[];
}

const registries: Served[] = [
  { name: 'memory', server: memory, leases: memoryLeases },
  ...(shared === undefined ? [] : [{ name: 'Redis', server: shared, leases: sharedLeases }]),
];
const others = redis === undefined ? {} : { Redis: redis.pid };
const closing: { close(): unknown }[] = [];

async function httpContestant(
  name: string,
  pid: number,
  given: { port: number; connections: number; status: number; next: NextRequest; perCall: number },
): Promise<Contestant> {
  const { next, perCall, ...options } = given;
  const load = new HttpLoad(options);
  await load.open();
  closing.push(load);
  const run = async (ms: number) => (await load.runFor(ms, next)) * perCall;
  return { name, pid, others: name.includes('Redis') ? others : {}, run };
}

function single({ name, server, leases }: Served): Promise<Contestant> {
  const next = inTurn(leases.map((lease) => requestBytes('PUT', `/v1/leases/${lease}`)));
  const { port, process: child } = server;
  const given = { port, connections: CONNECTIONS, status: 204, next, perCall: 1 };
  return httpContestant(`single, ${name}`, child.pid, given);
}

function batched({ name, server, leases }: Served, perCall: number): Promise<Contestant> {
  const batches: Buffer[] = [];
  for (let from = 0; from < leases.length; from += perCall) {
    const body = { leases: leases.slice(from, from + perCall) };
    batches.push(requestBytes('POST', '/v1/leases/renew', body));
  }
  const { port, process: child } = server;
  const next = inTurn(batches);
  const given = { port, connections: BATCH_CONNECTIONS, status: 200, next, perCall };
  return httpContestant(`${perCall} a call, ${name}`, child.pid, given);
}

async function etcdContestants(): Promise<Contestant[]> {
  if (etcd === undefined) return [];
  const { port, pid } = etcd;
  const ids = await grantLeases(port, ETCD_LEASES);
  const grpc = new GrpcKeepAlive(ids, 8);
  await grpc.open(port, 8, 1);
  closing.push(grpc);
  const next = inTurn(ids.map((ID) => requestBytes('POST', '/v3/lease/keepalive', { ID })));
  const given = { port, connections: CONNECTIONS, status: 200, next, perCall: 1 };
  return [
    { name: 'etcd, gRPC', pid, run: (ms) => grpc.runFor(ms) },
    await httpContestant('etcd, JSON', pid, given),
  ];
}

const contestants: Contestant[] = [];
for (const registry of registries) contestants.push(await single(registry));
contestants.push(...(await etcdContestants()));
for (const registry of registries) {
  for (const perCall of BATCHES) contestants.push(await batched(registry, perCall));
}

const samples = await runRounds(contestants, ROUNDS);
printRounds(samples, 'lease');
conclude();

for (const one of closing) one.close();
await Promise.all(registries.map(({ server }) => server.process.stop()));
await redis?.close();
await etcd?.close();

function samplesOf(name: string): readonly Sample[] | undefined {
  return [...samples].find(([contestant]) => contestant.name === name)?.[1];
}

function conclude(): void {
  const ourSingle = samplesOf('single, Redis');
  if (ourSingle === undefined) return;
  const rate = (taken: readonly Sample[]) => median(taken.map(({ perSecond }) => perSecond));
  verdict('single with Redis, a second', rate(ourSingle), '>= 30k', rate(ourSingle) >= 30_000);
  for (const perCall of BATCHES) {
    const best = rate(samplesOf(`${perCall} a call, Redis`)!);
    verdict(`${perCall} a call with Redis, a second`, best, '>= 300k', best >= 300_000);
  }
  for (const name of ['etcd, gRPC', 'etcd, JSON']) {
    const theirs = samplesOf(name);
    if (theirs === undefined) continue;
    const { perSecond, cpu } = ratioOf(ourSingle, theirs);
    verdict(`single with Redis against ${name}, by rate`, perSecond, '>= 1.3', perSecond >= 1.3);
    verdict(`single with Redis against ${name}, by CPU`, cpu, '>= 1.3', cpu >= 1.3);
  }
}
