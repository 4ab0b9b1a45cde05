import { reportOf, type Verdict } from '@rollcall/testkit';
import type { SteeredRedis } from '@rollcall/registry-server/testing';
import { openRedis } from './backend.ts';
import { inherentIn } from './inherent.ts';
import { FAULTS, type FaultName } from './faults.ts';
import { SeededRandom } from './random.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { World } from './world.ts';

/** The result of a simulated run. */
export interface Outcome {
  readonly seed: number;
  readonly scenario: Scenario;
  /** Empty when every promise was kept. */
  readonly faults: string;
  readonly figures: Verdict['figures'];
  /** Time from the end of all faults until every picture matched the live set, in ms. */
  readonly convergedMs: number;
  readonly happened: number;
  readonly simulatedMs: number;
  readonly trace: readonly string[];
}

const WEIGHTS = Object.fromEntries(
  Object.entries(FAULTS).map(([name, { weight }]) => [name, weight]),
);

/** How long the last effects of the worst faults take, in ms: grace periods, guards, silent streams. */
const SETTLE_MS = 30_000;

/** Number of violations shown: the first ones tell most, later ones are mostly of the same kind. */
const SHOWN = 5;

export interface SimulateOptions {
  /** A fixed scenario; the seed then selects one of its possible courses. @default drawn from the seed */
  readonly scenario?: Scenario;
  /** Redis to run the Redis driver on, instead of the memory driver. @default memory */
  readonly redis?: SteeredRedis | undefined;
}

/** Runs one seed, or one possible course of a given scenario, from an empty store until everything has settled. */
export async function simulate(
  seed: number,
  { scenario: given, redis }: SimulateOptions = {},
): Promise<Outcome> {
  const random = new SeededRandom(seed);
  const scenario = given ?? scenarioOf(random.fork(), WEIGHTS);
  const world = new World(seed, scenario, redis && openRedis(redis));
  world.begin();
  const mends: (() => void)[] = [];
  for (const { fault, atMs, forMs } of scenario.faults) {
    world.timeline.plan(atMs, () => {
      const mend = FAULTS[fault as FaultName].begin(world, forMs);
      let isMended = false;
      const once = () => {
        if (!isMended) mend();
        isMended = true;
      };
      mends.push(once);
      world.timeline.plan(forMs, once);
    });
  }
  await world.timeline.runTo(scenario.healMs);
  for (const mend of mends) mend();
  world.network.heal();
  for (const server of world.servers) if (server.process === undefined) server.start();
  world.note('everything is mended');
  const convergedMs = await converge(world);
  const { ttlMs } = scenario;
  await world.timeline.runTo(world.nowMs + SETTLE_MS + ttlMs * 2);
  const { violations, figures } = world.history.check({ ttlMs, slackMs: 2_500 });
  const inherent = inherentIn(violations, scenario, world.history.events);
  const kept = violations.filter((one) => !inherent.has(one));
  const found = [reportOf(kept.slice(0, SHOWN)), ...divergences(world)];
  const faults = found.filter((text) => text !== '').join('\n');
  for (const server of world.servers) server.kill();
  await world.store.close();
  const { happened, nowMs: simulatedMs } = world.timeline;
  const { trace } = world;
  return { seed, scenario, faults, figures, convergedMs, happened, simulatedMs, trace };
}

/** Runs until every watcher uses all live instances; returns how long that took, or Infinity. */
async function converge(world: World): Promise<number> {
  const fromMs = world.nowMs;
  const isWhole = () => {
    const live = world.live.map(({ id }) => id);
    return world.watchers.every((watcher) => {
      const used = new Set(watcher.used());
      return live.every((id) => used.has(id));
    });
  };
  while (!isWhole()) {
    if (world.nowMs - fromMs > SETTLE_MS) return Infinity;
    await world.timeline.runTo(world.nowMs + 10);
  }
  return world.nowMs - fromMs;
}

/** Differences between a picture, or the store, and the required state after everything has settled. */
function divergences(world: World): string[] {
  const live = [...new Set(world.live.map(({ id }) => id))].toSorted().join(' ');
  const found: string[] = [];
  for (const { name, process } of world.servers) {
    const roll = process?.server.core.picture.service('default', 'orders')?.endpoints ?? [];
    const shown = roll.map(({ instance, tier }) => (tier === 0 ? instance : `${instance}:${tier}`));
    if (shown.join(' ') !== live) found.push(`G4 ${name} has ${shown.join(' ')}, not ${live}`);
  }
  for (const watcher of world.watchers) {
    const shown = watcher.used().join(' ');
    const all = watcher.endpoints.length;
    if (shown !== live || all !== world.live.length) {
      found.push(`G4 ${watcher.name} uses ${shown} (of ${all}), not ${live}`);
    }
  }
  return found;
}
