import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endOnSignals } from '../ending.ts';
import { sayMachine } from '../machine.ts';
import { CORE, pinProcess, startPinnedNode } from '../placement.ts';
import { enroll, startRegistry } from '../registry.ts';
import {
  addSamples,
  type Contestant,
  printRounds,
  ratioOf,
  type RoundOptions,
  runRounds,
  type Samples,
  verdict,
} from '../rounds.ts';
import { Worker } from '../worker.ts';
import type { CallOrder } from './caller.ts';

/** Two ways, by name, and the least that the first one may reach of the second one. */
interface Pair {
  readonly ours: string;
  readonly theirs: string;
  readonly budget: number;
}

export interface Contest {
  /** File that exports `WAYS`. */
  readonly ways: string;
  readonly pairs: readonly Pair[];
  /** Program of the instances, which prints `ports PORT...`. */
  readonly backend: string;
  /** Name of the instances' port. */
  readonly portName: string;
  readonly inFlight: number;
  /**
   * How often each pair is compared, with two new processes. V8 decides in each process anew, by what happens in its first
   * seconds, what it compiles how and where the objects of a call live: a process is one draw.
   */
  readonly draws: number;
  /** Of each draw. */
  readonly rounds: RoundOptions;
  /** Libraries whose versions are printed. */
  readonly libraries: readonly string[];
}

/**
 * Compares ways of calling three instances, pair by pair. Both ways of a pair get a new process each, and call in turn,
 * A B A B. Only two, since a longer pause counts: after three seconds of silence V8 has given memory back and forgotten
 * optimizations, and the next half second costs up to twice as much. Callers run on core 0, all else on core 1.
 */
export async function runContest(contest: Contest): Promise<void> {
  const { ways, pairs, draws, libraries } = contest;
  endOnSignals();
  pinProcess(process.pid, CORE.rest);
  sayMachine(libraries.map((name) => `${name} ${versionOf(name, ways)}`));
  const backend = startPinnedNode(CORE.rest, contest.backend);
  const [, list = ''] = await backend.printed(/ports (.*)\n/);
  const backends = list.split(' ').map(Number);
  const registry = await startRegistry({ store: 'memory', core: CORE.rest });
  const surroundings = { url: registry.url, backends, backend: backend.pid };
  const samples: Samples[] = pairs.map(() => new Map());
  for (let draw = 0; draw < draws; draw++) {
    for (const [at, pair] of pairs.entries()) {
      // Again each time, since nothing renews the leases.
      await enroll(registry, backends, contest.portName);
      addSamples(samples[at]!, await compare(contest, pair, surroundings));
    }
  }
  const all: Samples = new Map();
  for (const ofPair of samples) addSamples(all, ofPair);
  printRounds(all, 'call');
  for (const [at, { ours, theirs, budget }] of pairs.entries()) {
    const { perSecond, cpu } = ratioOf(samples[at]!.get(ours)!, samples[at]!.get(theirs)!);
    const what = `${ours} against ${theirs}`;
    verdict(`${what}, by rate`, perSecond, `>= ${budget}`, perSecond >= budget);
    verdict(`${what}, by CPU`, cpu, `>= ${budget}`, cpu >= budget);
  }
  await Promise.all([registry.process, backend].map((one) => one.stop()));
}

interface Surroundings {
  /** Of the registry. */
  readonly url: string;
  /** Ports of the instances, and the process that they are in. */
  readonly backends: readonly number[];
  readonly backend: number;
}

/** The samples of one draw of a pair. */
async function compare(
  { ways, inFlight, rounds }: Contest,
  { ours, theirs }: Pair,
  { url, backends, backend }: Surroundings,
): Promise<Samples> {
  const caller = join(import.meta.dirname, 'caller.ts');
  const workers: Worker[] = [];
  const contestants: Contestant[] = [];
  for (const name of [ours, theirs]) {
    const args = [ways, name, url, ...backends.map(String)];
    const worker = await Worker.start(CORE.tested, caller, args);
    workers.push(worker);
    contestants.push({
      name,
      pid: worker.pid,
      others: { backend },
      run: (ms) => worker.ask<number>({ ms, inFlight } satisfies CallOrder),
    });
  }
  const samples = await runRounds(contestants, rounds);
  await Promise.all(workers.map((worker) => worker.stop()));
  return samples;
}

function versionOf(library: string, from: string): string {
  const manifest = findPackageJSON(library, pathToFileURL(from));
  if (manifest === undefined) throw new Error(`no package ${library}`);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
}
