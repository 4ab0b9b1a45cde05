// How many heartbeats does one core of a registry server take, singly and batched, compared with etcd's keepalives?
//
// Budgets: at least 30,000 per second singly (PUT /v1/leases/{lease}) with Redis as the store, 300,000 leases
// per second batched (POST /v1/leases/renew) with 100,000 leases on the roll, and 1.3 times etcd. The server
// under test has core 0 to itself; the load generator and Redis share core 1. "core used" near 100 % shows
// that the server was the limit.
//
// etcd answers over its own protocol (gRPC; one connection for each of 64 callers, like the single heartbeats, and one
// connection for all) and over its JSON gateway. It is a consensus store, but its leader answers a keepalive from
// memory; Redis runs without an append-only file, since neither of them persists renewals.
//
// The cost of a heartbeat differs by up to a fifth between two processes, for their whole life, for the registry as
// well as for etcd. So there are three pairs of fresh processes, and a ratio is the median over their samples.
import { endOnSignals } from '../support/ending.ts';
import { startEtcd } from '../support/etcd.ts';
import { sayMachine, versionOf } from '../support/machine.ts';
import { CORE, pinProcess } from '../support/placement.ts';
import { type RedisPeer, startRedis } from '../support/redis.ts';
import { startRegistry } from '../support/registry.ts';
import {
  addSamples,
  printRounds,
  ratioOf,
  runRounds,
  type Samples,
  verdict,
} from '../support/rounds.ts';
import { median } from '../support/statistics.ts';
import { say } from '../support/table.ts';
import { ETCD_WAYS, openEtcdLoad } from './etcd-load.ts';
import { nameOf, PER_CALL, RegistryLoad } from './registry-load.ts';
import { fillRoll } from './roll.ts';

const LEASES = 100_000;
const MEMORY_ROUNDS = { rounds: 4, sampleMs: 800 };
const PAIRS = 3;
const PAIR_ROUNDS = { rounds: 2, sampleMs: 700, warmUpMs: 1_200 };

/**
 * How long a fresh server is under load before it counts, in ms: meanwhile its code is compiled and its heap settles.
 */
const WARM_UP_MS = 4_000;

endOnSignals();
pinProcess(process.pid, CORE.rest);
const redis = await startRedis();
const etcdVersion = versionOf('etcd')?.replace(' Version:', '');
sayMachine([redis?.version, etcdVersion]);
if (etcdVersion === undefined) say('etcd is not installed here: no comparison with it.\n');
if (redis === undefined) say('No Redis to be had here: memory store only.\n');

// Both cores work while the rolls are filled; afterwards each server is measured with a core to itself.
const memory = await startRegistry({ store: 'memory' });
const filling = redis && (await startRegistry({ store: redis.url, core: CORE.rest }));
say(`Filling the rolls with ${LEASES.toLocaleString('en')} leases each.\n`);
const [memoryLeases, redisLeases] = await Promise.all([
  fillRoll(memory.port, LEASES),
  filling === undefined ? [] : fillRoll(filling.port, LEASES),
]);
await filling?.process.stop();

const samples: Samples = new Map();
await measureMemory();
if (redis !== undefined) {
  for (let pair = 0; pair < PAIRS; pair++) await measurePair(redis);
}
printRounds(samples, 'lease');
conclude();
await redis?.close();

async function measureMemory(): Promise<void> {
  const load = new RegistryLoad({ name: 'memory', server: memory, leases: memoryLeases });
  await load.open();
  addSamples(samples, await runRounds(load.contestants, MEMORY_ROUNDS));
  load.close();
  await memory.process.stop();
}

/** Measures a fresh server with Redis, and a fresh etcd. */
async function measurePair({ url, pid }: RedisPeer): Promise<void> {
  const server = await startRegistry({ store: url });
  const others = { Redis: pid };
  const load = new RegistryLoad({ name: 'Redis', server, leases: redisLeases, others });
  await load.open();
  await load.contestants[0]!.run(WARM_UP_MS);
  const etcd = await startEtcd();
  const peer = etcd && (await openEtcdLoad(etcd));
  const contestants = [...load.contestants, ...(peer?.contestants ?? [])];
  addSamples(samples, await runRounds(contestants, PAIR_ROUNDS));
  load.close();
  peer?.close();
  await server.process.stop();
  await etcd?.close();
}

function conclude(): void {
  for (const perCall of PER_CALL) {
    const name = nameOf('Redis', perCall);
    const budget = perCall === 1 ? 30_000 : 300_000;
    const rate = median((samples.get(name) ?? []).map(({ perSecond }) => perSecond));
    verdict(`${name}, a second`, rate, `>= ${budget}`, rate >= budget);
  }
  const ours = samples.get(nameOf('Redis', 1));
  for (const name of ETCD_WAYS) {
    const theirs = samples.get(name);
    if (theirs === undefined || ours === undefined) continue;
    const { perSecond, cpu } = ratioOf(ours, theirs);
    verdict(`single with Redis against ${name}, by rate`, perSecond, '>= 1.3', perSecond >= 1.3);
    verdict(`single with Redis against ${name}, by CPU`, cpu, '>= 1.3', cpu >= 1.3);
  }
}
