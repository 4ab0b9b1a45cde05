import { SteeredRedis } from '@rollcall/registry-server/testing';
import { expect, inject, onTestFinished, test } from 'vitest';
import { simulate } from './run.ts';

/** Seeds in one go; SEEDS=10000 for the whole number, though `npm run simulate` is quicker: it uses every core. */
const SEEDS = Number(process.env['SEEDS'] ?? 300);

test(`G1 to G6: ${SEEDS} seeds of a fleet on virtual time, each with faults of its own`, async () => {
  const failed: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { faults } = await simulate(seed);
    if (faults !== '') failed.push(`npm run simulate -- --seed ${seed}\n${faults}`);
  }
  expect(failed).toEqual([]);
}, 600_000);

/** Seeds on Redis: each takes about a second. */
const REDIS_SEEDS = Number(process.env['REDIS_SEEDS'] ?? 20);

test(`G1 to G6: ${REDIS_SEEDS} seeds on the Lua of a real Redis, whose clock is that of the simulation`, async () => {
  const redis = new SteeredRedis(inject('redisUrl'));
  onTestFinished(() => redis.close());
  const failed: string[] = [];
  for (let seed = 10; seed <= REDIS_SEEDS * 10; seed += 10) {
    const { faults } = await simulate(seed, { redis });
    if (faults !== '') failed.push(`npm run simulate -- --seed ${seed}\n${faults}`);
  }
  expect(failed).toEqual([]);
}, 600_000);

/** Two primaries that take the same revisions for different things. */
const TWO_PRIMARIES = {
  servers: 3,
  instances: 5,
  watchers: 2,
  ttlMs: 3_000,
  logLength: 10_000,
  skewsMs: [0, 0, 0],
  // A primary whose clock is behind counts on from the last revision, and so does the one after it.
  faults: [
    { fault: 'failOver', atMs: 4_000, forMs: 1_000 },
    { fault: 'change', atMs: 8_000, forMs: 100 },
    { fault: 'split', atMs: 9_000, forMs: 6_000 },
    { fault: 'change', atMs: 9_500, forMs: 100 },
    { fault: 'leave', atMs: 10_000, forMs: 100 },
    { fault: 'restart', atMs: 11_000, forMs: 400 },
  ],
  healMs: 20_000,
};

/** A primary takes over that lacks the last goodbyes, and the only server that knows of them is killed. */
const LOST_GOODBYE = {
  servers: 1,
  instances: 5,
  watchers: 2,
  ttlMs: 10_000,
  logLength: 10_000,
  skewsMs: [0],
  faults: [
    { fault: 'leave', atMs: 6_700, forMs: 100 },
    { fault: 'killServer', atMs: 6_900, forMs: 3_000 },
    { fault: 'failOver', atMs: 7_000, forMs: 2_000 },
  ],
  healMs: 12_000,
};

async function failedOf(
  scenario: typeof TWO_PRIMARIES,
  seeds: readonly number[],
  redis?: SteeredRedis,
): Promise<string[]> {
  const failed: string[] = [];
  for (const seed of seeds) {
    const { faults } = await simulate(seed, { scenario, redis });
    if (faults !== '') failed.push(`${seed}: ${faults}`);
  }
  return failed;
}

const firstSeeds = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

test('G4, G5: two primaries that took the same revisions for different things are told apart', async () => {
  expect(await failedOf(TWO_PRIMARIES, firstSeeds(100))).toEqual([]);
}, 300_000);

test('G5: who left before a failover that lost it is shown as unconfirmed at most', async () => {
  expect(await failedOf(LOST_GOODBYE, firstSeeds(40))).toEqual([]);
}, 300_000);

test('G4, G5: both on the Lua of a real Redis', async () => {
  const redis = new SteeredRedis(inject('redisUrl'));
  onTestFinished(() => redis.close());
  // 84 is the course in which both primaries come to the same revision with different pasts.
  expect(await failedOf(TWO_PRIMARIES, [83, 84, 85], redis)).toEqual([]);
  expect(await failedOf(LOST_GOODBYE, firstSeeds(8), redis)).toEqual([]);
}, 300_000);

test('the same seed happens the same way again', async () => {
  const [first, second] = [await simulate(7), await simulate(7)];
  expect(second.trace).toEqual(first.trace);
  expect(second.happened).toBe(first.happened);
  expect(first.trace.length).toBeGreaterThan(10);

  const redis = new SteeredRedis(inject('redisUrl'));
  onTestFinished(() => redis.close());
  const [third, fourth] = [await simulate(7, { redis }), await simulate(7, { redis })];
  expect(fourth.trace).toEqual(third.trace);
  expect(fourth.happened).toBe(third.happened);
});
