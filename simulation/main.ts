// Runs seeds on virtual time and reports which of them broke a promise: --seeds COUNT --from SEED. Or
// runs one seed again and prints everything that happened: --seed SEED. One seed in ten runs the Redis
// driver with its Lua on a real Redis.
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findRedisBinary, RedisProcess } from '@rollcall/testkit';
import { closeRedis, isOnRedis, REDIS_VARIABLE } from './redis-seeds.ts';
import { replay } from './replay.ts';
import type { Report } from './worker.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
});

/** Number of seeds that a worker gets at a time. */
const PORTION = 100;

function numberOf(name: 'seeds' | 'from' | 'seed', text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name}: expected a whole number, got ${JSON.stringify(text)}`);
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(0);
}

async function many(from: number, count: number): Promise<boolean> {
  const beganMs = performance.now();
  const reports: Report[] = [];
  let next = from;
  const work = async () => {
    const worker = fork(fileURLToPath(new URL('worker.ts', import.meta.url)));
    while (next < from + count) {
      const first = next;
      next = Math.min(next + PORTION, from + count);
      const told = new Promise<Report[]>((resolve, reject) => {
        worker.once('message', (message) => resolve(message as Report[]));
        worker.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)));
      });
      worker.send({ from: first, to: next });
      for (const report of await told) {
        reports.push(report);
        if (report.faults !== '') console.log(`seed ${report.seed}\n${report.faults}`);
      }
      worker.removeAllListeners('exit');
      if (reports.length % 1_000 === 0) console.log(`${reports.length} seeds`);
    }
    worker.disconnect();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const failed = reports.filter(({ faults }) => faults !== '').map(({ seed }) => seed);
  const converged = reports.map(({ convergedMs }) => convergedMs).toSorted((a, b) => a - b);
  const stale = reports.map(({ longestStaleMs }) => longestStaleMs).toSorted((a, b) => a - b);
  const sum = (key: 'falseEvictions' | 'simulatedMs' | 'happened') =>
    reports.reduce((total, report) => total + report[key], 0);
  const onRedis = redis === undefined ? 0 : reports.filter(({ seed }) => isOnRedis(seed)).length;
  console.log(
    `${reports.length} seeds (${onRedis} of them on Redis), ${(sum('simulatedMs') / 3_600_000).toFixed(1)} h of virtual time, ` +
      `${sum('happened')} events in ${((performance.now() - beganMs) / 1_000).toFixed(0)} s; ` +
      `false evictions ${sum('falseEvictions')}; ` +
      `everything mended to every picture whole p50 ${percentile(converged, 0.5)} ms, ` +
      `p99 ${percentile(converged, 0.99)} ms, longest ${percentile(converged, 1)} ms; ` +
      `longest stale p99 ${percentile(stale, 0.99)} ms; ${failed.length} failed`,
  );
  if (failed.length > 0) console.log(`again, one by one: npm run simulate -- --seed ${failed[0]}`);
  return failed.length === 0;
}

const binary = await findRedisBinary();
const redis = binary === undefined ? undefined : await RedisProcess.start(binary);
if (redis === undefined) console.log('no Redis on this machine: every seed runs on memory');
else process.env[REDIS_VARIABLE] = redis.url;
try {
  const isKept =
    values.seed === undefined
      ? await many(numberOf('from', values.from), numberOf('seeds', values.seeds))
      : await replay(numberOf('seed', values.seed));
  process.exitCode = isKept ? 0 : 1;
} finally {
  closeRedis();
  await redis?.close();
}
