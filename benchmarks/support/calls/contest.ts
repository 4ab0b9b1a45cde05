import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestProcess } from '@rollcall/testkit';
import { endOnSignals } from '../ending.ts';
import { sayMachine } from '../machine.ts';
import { CORE, pinProcess, startPinnedNode } from '../placement.ts';
import { enroll, startRegistry } from '../registry.ts';
import {
  type Contestant,
  printRounds,
  ratioOf,
  type RoundOptions,
  runRounds,
  verdict,
} from '../rounds.ts';
import { Worker } from '../worker.ts';
import type { CallOrder } from './caller.ts';

/**
 * Left to itself, V8 decides in each process by what it sees there whether the objects of a call are allocated in the old
 * generation, and how large the young one becomes. Two processes of the same way then differ by up to a quarter (17 and
 * 21 µs per `request`) for a whole run. It happens to the SDK more often than to what it is compared with, and users have
 * these defaults: so they count. With `--fixed-v8` both sides get the same settings, which shows the rest of the cost.
 */
const SAME_COLLECTOR = process.argv.includes('--fixed-v8')
  ? ['--no-allocation-site-pretenuring', '--min-semi-space-size=16']
  : [];

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
  readonly rounds: RoundOptions;
  /** Libraries whose versions are printed. */
  readonly libraries: readonly string[];
}

/**
 * Compares ways of calling three instances. Each way runs in its own process on core 0, in turn with the others;
 * instances and registry are on core 1.
 */
export async function runContest(contest: Contest): Promise<void> {
  const { ways, pairs, inFlight, rounds, libraries } = contest;
  endOnSignals();
  pinProcess(process.pid, CORE.rest);
  sayMachine(libraries.map((name) => `${name} ${versionOf(name, ways)}`));
  const backend = startPinnedNode(CORE.rest, contest.backend);
  const [, list = ''] = await backend.printed(/ports (.*)\n/);
  const backends = list.split(' ').map(Number);
  const registry = await startRegistry({ store: 'memory', core: CORE.rest });
  await enroll(registry, backends, contest.portName);
  const workers: Worker[] = [];
  const contestants: Contestant[] = [];
  for (const name of new Set(pairs.flatMap(({ ours, theirs }) => [ours, theirs]))) {
    const args = [ways, name, registry.url, ...backends.map(String)];
    const caller = join(import.meta.dirname, 'caller.ts');
    const worker = await Worker.start(CORE.tested, caller, args, SAME_COLLECTOR);
    workers.push(worker);
    contestants.push({
      name,
      pid: worker.pid,
      others: { backend: backend.pid },
      run: (ms) => worker.ask<number>({ ms, inFlight } satisfies CallOrder),
    });
  }
  const samples = await runRounds(contestants, rounds);
  printRounds(samples, 'call');
  for (const { ours, theirs, budget } of pairs) {
    const { perSecond, cpu } = ratioOf(samples.get(ours)!, samples.get(theirs)!);
    const what = `${ours} against ${theirs}`;
    verdict(`${what}, by rate`, perSecond, `>= ${budget}`, perSecond >= budget);
    verdict(`${what}, by CPU`, cpu, `>= ${budget}`, cpu >= budget);
  }
  await end(workers, [registry.process, backend]);
}

async function end(workers: readonly Worker[], processes: readonly TestProcess[]): Promise<void> {
  await Promise.all(workers.map((worker) => worker.stop()));
  await Promise.all(processes.map((one) => one.stop()));
}

function versionOf(library: string, from: string): string {
  const manifest = findPackageJSON(library, pathToFileURL(from));
  if (manifest === undefined) throw new Error(`no package ${library}`);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return version;
}
