// Do two registry servers and one Redis carry 100,000 instances of 1,000 services, and what does it cost them?
//
// Realistic load for a given time (SECONDS=600 or --seconds 600; 60 by default): clients that keep a hundred instances
// each and renew them in one call like the SDK, a few that renew singly with a new connection per call like curl,
// watchers at both servers, steady changes. TTL 30 s, so heartbeats come every 10 s (the SDK: every 8 to 10). The
// servers are `main.ts` with default options: no limit is raised. Each client has its own loopback address, as machines
// have, because the servers' limits are per caller. No holds, no TLS, no tokens.
//
// Then a third server joins while the load continues, and 5,000 watch streams connect to it. Servers and Redis run on
// any free core; the load generators are on core 1.
//
// Budgets: no evictions; 300 MB in a server and ready within 5 s; 120 ms from a change to the last of 5,000 watchers.
// settings.ts lists all settings with their defaults.
import { endOnSignals } from '../support/ending.ts';
import { sayMachine } from '../support/machine.ts';
import { startRedis } from '../support/redis.ts';
import { verdict } from '../support/rounds.ts';
import { median, short } from '../support/statistics.ts';
import { printTable, say } from '../support/table.ts';
import { type CrowdFigures, fillRoll, type Joined, joinServer, meetCrowd } from './phases.ts';
import { endScene, type Scene, startScene } from './scene.ts';
import { readSettings } from './settings.ts';
import { errorsOf, refusedOf, runSteady, shares, type Span } from './steady.ts';

const BUDGETS = { rssMb: 300, readyMs: 5_000, lastMs: 120 };

endOnSignals();
const settings = readSettings(process.argv.slice(2), process.env);
const redis = await startRedis();
if (redis === undefined) throw new Error('this benchmark needs a Redis: `apt-get install redis`');
sayMachine([redis.version]);
say(
  `${Object.entries(settings)
    .map(([name, value]) => `--${name} ${value}`)
    .join(' ')}\n`,
);

const scene = await startScene(settings, redis);
await fillRoll(scene);
const opened = await scene.watching.ask<{ streams: number; services: number }>({ ask: 'open' });
say(
  `${opened.streams} watch streams over ${opened.services} services; figures of ${Object.keys(scene.pids).join(' / ')}:\n`,
);
const steady = await runSteady(scene);
const joined = await joinServer(scene);
const crowd = await meetCrowd(scene, joined.server);
printSteady(scene, steady);
await conclude(scene, joined, crowd);
await joined.server.stop();
await endScene(scene);
await redis.close();

function printSteady({ pids }: Scene, span: Span): void {
  const { beats, watching, seconds } = span;
  say(`Steady state, ${seconds.toFixed(0)} s:\n`);
  const processes = Object.keys(pids).map((name) => [
    name,
    `${span.cpu[name]?.toFixed(1)} % of a core, ${span.rssMb[name]?.toFixed(0)} MB`,
  ]);
  printTable(
    ['', ''],
    [
      ...processes,
      ['Redis, used memory; commands', `${span.redisMb.toFixed(1)} MB; ${short(span.redisOps)}/s`],
      ['renewals', `${short(beats.renewed / seconds)}/s`],
      ['calls with many leases', callsOf(beats.batches.times, seconds)],
      ['calls with one', callsOf(beats.singles.times, seconds)],
      ['changes', callsOf(watching.calls.times, seconds)],
      [
        'from change to each watcher',
        `${shares(watching.arrivals, [0.5, 0.99, 1])} ms p50 / p99 / largest`,
      ],
      ['evicted; kept by the guard', `${span.evicted}; ${span.guarded}`],
      ['refused, at clients; at servers', `${refusedOf(span)}; ${span.refusedByServers}`],
      ['calls failed', String(errorsOf(span) - watching.ended - watching.missing - beats.lost)],
      [
        'streams ended; changes missing; leases lost',
        `${watching.ended}; ${watching.missing}; ${beats.lost}`,
      ],
    ],
  );
}

function callsOf(times: readonly number[], seconds: number): string {
  return `${short(times.length / seconds)}/s, ${shares(times, [0.5, 0.99])} ms p50 / p99`;
}

async function conclude({ servers }: Scene, third: Joined, { times }: CrowdFigures): Promise<void> {
  const counts = await Promise.all([...servers, third.server].map((server) => server.counts()));
  const evicted = counts.reduce((sum, { expired }) => sum + expired, 0);
  verdict('evicted, from the first registration on', evicted, '0', evicted === 0);
  for (const { name } of servers) sayMemory(name, steady.rssMb[name] ?? Number.NaN);
  sayMemory('third server', Math.max(third.rssMb, third.settledMb));
  const { readyMs } = third;
  const { crowd: streams } = settings;
  const last = median(times);
  verdict('third server ready, ms', readyMs, `<= ${BUDGETS.readyMs}`, readyMs <= BUDGETS.readyMs);
  verdict(
    `p50 to the last of ${streams}, ms`,
    last,
    `<= ${BUDGETS.lastMs}`,
    last <= BUDGETS.lastMs,
  );
}

function sayMemory(name: string, rssMb: number): void {
  verdict(`${name}, RSS in MB`, rssMb, `<= ${BUDGETS.rssMb}`, rssMb <= BUDGETS.rssMb);
}
