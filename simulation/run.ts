import { reportOf, type Verdict, type Violation } from '@rollcall/testkit';
import { FAULTS, type FaultName } from './faults.ts';
import { SeededRandom } from './random.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { World } from './world.ts';

/** The end of a simulated run. */
export interface Outcome {
  readonly seed: number;
  readonly scenario: Scenario;
  /** Empty when every promise was kept. */
  readonly faults: string;
  readonly figures: Verdict['figures'];
  /** From the moment when everything was mended until all pictures were that of the live set, in ms. */
  readonly convergedMs: number;
  readonly happened: number;
  readonly simulatedMs: number;
  readonly trace: readonly string[];
}

const WEIGHTS = Object.fromEntries(
  Object.entries(FAULTS).map(([name, { weight }]) => [name, weight]),
);

/** How long the last effects of the gravest faults take, in ms: graces, guards, silent streams. */
const SETTLE_MS = 30_000;

/** The first violations tell most; those that follow are mostly of the same kind. */
const SHOWN = 5;

/** Lets one seed happen, or one of the ways that a certain scenario can go, from an empty store to the moment when everything has settled. */
export async function simulate(seed: number, given?: Scenario): Promise<Outcome> {
  const random = new SeededRandom(seed);
  const scenario = given ?? scenarioOf(random.fork(), WEIGHTS);
  const world = new World(seed, scenario);
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
  const kept = violations.filter((one) => !isInherent(one, scenario));
  const found = [reportOf(kept.slice(0, SHOWN)), ...misfits(world)];
  const faults = found.filter((text) => text !== '').join('\n');
  for (const server of world.servers) server.kill();
  const { happened, nowMs: simulatedMs } = world.timeline;
  const { trace } = world;
  return { seed, scenario, faults, figures, convergedMs, happened, simulatedMs, trace };
}

/** How long servers may take to find out that a failover lost writes, and to give them back, in ms. */
const RESTORE_MS = 1_500;

/**
 * With two primaries, those who watch the one and the other see different things, under the same revision when their
 * clocks are behind; and an id can have a holder at each. Once one of them is found out a holder loses its place, and which
 * one cannot be told from revisions that both gave out. And a successor that a failover lost has none until its servers
 * give it back.
 */
function isInherent({ promise, message, atMs }: Violation, { faults }: Scenario): boolean {
  const isOfTwo = message.includes('differ at revision');
  if (promise !== 'G6' && !isOfTwo) return false;
  return faults.some(({ fault, atMs: fromMs, forMs }) => {
    if (fault === 'split') return atMs > fromMs && (!isOfTwo || atMs < fromMs + forMs + RESTORE_MS);
    return !isOfTwo && fault === 'failOver' && atMs > fromMs && atMs < fromMs + forMs + RESTORE_MS;
  });
}

/** Runs until every watcher uses everybody who lives; gives how long that took, or Infinity. */
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

/** Where a picture, or the store, is not what it must be once everything has settled. */
function misfits(world: World): string[] {
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
