import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@rollcall/testkit';
import type { Fleet, Site } from './fleet.ts';
import type { Seeded } from './seeded.ts';

/** One kind of trouble. */
export interface Trouble {
  readonly name: string;
  /** Probability relative to the others. */
  readonly weight: number;
  /** The parts that do not work meanwhile, as in a history. */
  readonly breaks: (fleet: Fleet) => readonly string[];
  /** Starts the trouble and ends it. */
  readonly strike: (fleet: Fleet, random: Seeded) => Promise<unknown>;
}

const NOBODY = () => [];
const STORE = () => ['store'];

const killOne = async (fleet: Fleet, random: Seeded) => {
  const victim = random.of(fleet.actors);
  victim.kill();
  fleet.dismiss(victim);
  await fleet.hire();
};

const INSTANCE_TROUBLES: readonly Trouble[] = [
  { name: 'an instance killed and replaced', weight: 4, breaks: NOBODY, strike: killOne },
  {
    name: 'half of the instances killed and replaced',
    weight: 1,
    breaks: NOBODY,
    async strike(fleet) {
      const victims = fleet.actors.slice(0, fleet.actors.length / 2);
      for (const victim of victims) {
        victim.kill();
        fleet.dismiss(victim);
      }
      for (const _ of victims) await fleet.hire();
    },
  },
  {
    name: 'an instance replaced politely',
    weight: 2,
    breaks: NOBODY,
    async strike(fleet, random) {
      const leaver = random.of(fleet.actors);
      await fleet.hire();
      fleet.dismiss(leaver);
      await leaver.leave();
    },
  },
  {
    name: 'an instance stopped and continued',
    weight: 2,
    breaks: NOBODY,
    async strike(fleet, random) {
      const sleeper = random.of(fleet.actors);
      sleeper.stop();
      await sleep(random.between(1_000, 2 * fleet.ttlMs));
      sleeper.continue();
    },
  },
  {
    name: 'an instance stopped, succeeded under its id, and continued',
    weight: 1,
    breaks: NOBODY,
    async strike(fleet, random) {
      const sleeper = random.of(fleet.actors);
      sleeper.stop();
      fleet.dismiss(sleeper);
      await fleet.hire(sleeper.instance);
      await sleep(random.between(0, fleet.ttlMs));
      sleeper.continue();
      await until(() => sleeper.process.hasExited, { withinMs: fleet.ttlMs + 5_000 });
    },
  },
];

/** Any site but the first, which runs all the time and shows whether a server's memory grows. */
const someSite = (fleet: Fleet, random: Seeded): Site => random.of(fleet.sites.slice(1));

const restart = async (fleet: Fleet, site: Site, signal: NodeJS.Signals) => {
  await site.server.process.stop(signal);
  site.server = await fleet.startServer(site.server.port);
};

/** Readers of a server may get no news until the weather is fair. */
const READERS = (fleet: Fleet) => fleet.watchers;

const SERVER_TROUBLES: readonly Trouble[] = [
  {
    name: 'a registry server restarted',
    weight: 2,
    breaks: NOBODY,
    strike: (fleet, random) => restart(fleet, someSite(fleet, random), 'SIGTERM'),
  },
  {
    name: 'a registry server killed',
    weight: 2,
    breaks: () => ['registry'],
    strike: (fleet, random) => restart(fleet, someSite(fleet, random), 'SIGKILL'),
  },
  {
    name: 'an instance killed while a registry server is',
    weight: 1,
    breaks: () => ['registry'],
    strike: (fleet, random) =>
      Promise.all([restart(fleet, someSite(fleet, random), 'SIGKILL'), killOne(fleet, random)]),
  },
  {
    name: 'every connection to a server cut',
    weight: 2,
    breaks: NOBODY,
    strike: async (fleet, random) => random.of(fleet.sites).proxy.cut(random.of(['reset', 'end'])),
  },
  {
    name: 'a server out of reach: refused',
    weight: 2,
    breaks: READERS,
    async strike(fleet, random) {
      const { proxy } = random.of(fleet.sites);
      proxy.set({ connects: 'reset' });
      proxy.cut();
      await sleep(random.between(100, 5_000));
      proxy.heal();
    },
  },
  {
    name: 'a server out of reach: silence',
    weight: 2,
    breaks: READERS,
    async strike(fleet, random) {
      const { proxy } = random.of(fleet.sites);
      const lost = random.of([['up'], ['down'], ['up', 'down']] as const);
      proxy.set({ lost, connects: 'silent' });
      await sleep(random.between(500, 8_000));
      proxy.heal();
    },
  },
  {
    name: 'a server far away',
    weight: 1,
    breaks: READERS,
    async strike(fleet, random) {
      const { proxy } = random.of(fleet.sites);
      proxy.set({ delayMs: random.between(20, 300), bytesPerSecond: random.of([0, 20_000]) });
      await sleep(random.between(2_000, 8_000));
      proxy.heal();
    },
  },
];

const STORE_TROUBLES: readonly Trouble[] = [
  {
    name: 'Redis emptied (FLUSHALL)',
    weight: 2,
    breaks: STORE,
    strike: (fleet) => fleet.redis.command('FLUSHALL'),
  },
  {
    name: 'Redis killed, back with its data',
    weight: 1,
    breaks: STORE,
    async strike({ redis, ttlMs }, random) {
      await redis.down();
      await sleep(random.between(0, 2 * ttlMs));
      await redis.up();
    },
  },
  {
    name: 'Redis killed, back empty',
    weight: 2,
    breaks: STORE,
    async strike({ redis, ttlMs }, random) {
      await redis.down({ losesData: true });
      await sleep(random.between(0, 2 * ttlMs));
      await redis.up();
    },
  },
  {
    name: 'Redis hung',
    weight: 2,
    breaks: STORE,
    async strike({ redis, ttlMs }, random) {
      redis.signal('SIGSTOP');
      await sleep(random.between(200, 2 * ttlMs));
      redis.signal('SIGCONT');
    },
  },
  {
    name: 'Redis far away',
    weight: 2,
    breaks: STORE,
    async strike({ storeWay }, random) {
      storeWay.set({ delayMs: random.between(25, 1_000) });
      await sleep(random.between(2_000, 10_000));
      storeWay.heal();
    },
  },
  {
    name: 'Redis cut off',
    weight: 1,
    breaks: STORE,
    async strike({ storeWay }, random) {
      storeWay.set({ connects: 'reset' });
      storeWay.cut();
      await sleep(random.between(0, 6_000));
      storeWay.heal();
    },
  },
  {
    name: 'Redis full (OOM)',
    weight: 1,
    breaks: STORE,
    async strike({ redis, ttlMs }, random) {
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      await sleep(random.between(500, 2 * ttlMs));
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    },
  },
  {
    name: 'Redis hung while an instance is killed',
    weight: 1,
    breaks: STORE,
    async strike(fleet, random) {
      const victim = random.of(fleet.actors);
      fleet.redis.signal('SIGSTOP');
      victim.kill();
      fleet.dismiss(victim);
      await sleep(random.between(200, fleet.ttlMs));
      fleet.redis.signal('SIGCONT');
      await fleet.hire();
    },
  },
];

const TROUBLES = [...INSTANCE_TROUBLES, ...SERVER_TROUBLES, ...STORE_TROUBLES];

/** Draws the next trouble by weight. */
export function drawTrouble(random: Seeded): Trouble {
  const lots = TROUBLES.flatMap((trouble) => Array<Trouble>(trouble.weight).fill(trouble));
  return random.of(lots);
}
