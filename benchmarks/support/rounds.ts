import { busyMsOf, cpuMsOf } from './cpu.ts';
import { canPin, CORE, pinProcess } from './placement.ts';
import { median, short, spread } from './statistics.ts';
import { printTable, say } from './table.ts';

/** One of the compared programs of a run. */
export interface Contestant {
  readonly name: string;
  /** The process on the core under test whose processor time counts. */
  readonly pid: number;
  /** Further processes whose processor time per operation is shown, by name. */
  readonly others?: Readonly<Record<string, number>>;
  /** Works for `ms`; returns the number of answered operations. */
  run(ms: number): Promise<number>;
}

export interface Sample {
  readonly perSecond: number;
  /** Processor time of the process, in µs per operation. */
  readonly cpuUs: number;
  readonly otherUs: Readonly<Record<string, number>>;
  /** Share of the core that the process used, 0..1. */
  readonly used: number;
  /** Shares of the core under test and of the other core that other processes used or the host took away, 0..1. */
  readonly foreign: readonly [number, number];
}

/** The samples, by the contestants' names. */
export type Samples = Map<string, Sample[]>;

/** Adds the samples of further rounds, possibly with other processes, to those with the same names. */
export function addSamples(to: Samples, more: Samples): void {
  for (const [name, taken] of more) to.set(name, [...(to.get(name) ?? []), ...taken]);
}

export interface RoundOptions {
  readonly rounds: number;
  readonly sampleMs: number;
  /** How long each contestant works before the first round, in ms. @default 2000 */
  readonly warmUpMs?: number;
}

/** If other processes use more than this share of either core, the sample is repeated. */
const MAX_FOREIGN = 0.08;

/** Number of tries before the least disturbed sample is used. */
const TRIES = 3;

async function sampleOf(
  contestant: Contestant,
  waiting: readonly number[],
  ms: number,
): Promise<Sample> {
  const { pid, others = {} } = contestant;
  const read = () => ({
    atMs: performance.now(),
    own: cpuMsOf(pid),
    tested: busyMsOf(CORE.tested),
    rest: busyMsOf(CORE.rest),
    self: [process.pid, ...waiting].reduce((total, one) => total + cpuMsOf(one), 0),
    other: Object.entries(others).map(([name, id]) => [name, cpuMsOf(id)] as const),
  });
  const before = read();
  const count = await contestant.run(ms);
  const after = read();
  const elapsed = after.atMs - before.atMs;
  const own = after.own - before.own;
  const otherUs = after.other.map(
    ([name, cpu], i) => [name, ((cpu - before.other[i]![1]) * 1e3) / count] as const,
  );
  const shareOf = (core: 'tested' | 'rest', used: number) =>
    canPin ? Math.max(0, (after[core] - before[core] - used) / elapsed) : Number.NaN;
  const around = after.other.reduce(
    (total, [, cpu], i) => total + cpu - before.other[i]![1],
    after.self - before.self,
  );
  return {
    perSecond: (count / elapsed) * 1e3,
    cpuUs: (own * 1e3) / count,
    otherUs: Object.fromEntries(otherUs),
    used: own / elapsed,
    foreign: [shareOf('tested', own), shareOf('rest', around)],
  };
}

const pollution = ({ foreign }: Sample) => Math.max(...foreign);

/**
 * Gives the core under test to one contestant: the waiting ones move to the other core. Returns the waiting processes.
 */
function giveCoreTo({ pid }: Contestant, contestants: readonly Contestant[]): number[] {
  const waiting = [...new Set(contestants.map((one) => one.pid))].filter((other) => other !== pid);
  for (const other of waiting) pinProcess(other, CORE.rest);
  pinProcess(pid, CORE.tested);
  return waiting;
}

/** Runs the contestants in turn, A B C A B C, after a warm-up; returns the samples by name. */
export async function runRounds(
  contestants: readonly Contestant[],
  { rounds, sampleMs, warmUpMs = 2_000 }: RoundOptions,
): Promise<Samples> {
  const samples: Samples = new Map(contestants.map(({ name }) => [name, []]));
  // Twice: running the next contestant undoes optimizations that the compiler made for the previous one.
  for (const contestant of [...contestants, ...contestants]) await contestant.run(warmUpMs / 2);
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      const waiting = giveCoreTo(contestant, contestants);
      let best = await sampleOf(contestant, waiting, sampleMs);
      for (let tries = 1; tries < TRIES && pollution(best) > MAX_FOREIGN; tries++) {
        const again = await sampleOf(contestant, waiting, sampleMs);
        if (pollution(again) < pollution(best)) best = again;
      }
      samples.get(contestant.name)!.push(best);
    }
  }
  return samples;
}

function percent(shares: readonly number[]): string {
  const share = median(shares);
  return Number.isNaN(share) ? '-' : `${(share * 100).toFixed(0)} %`;
}

/** Prints the samples; `unit`: what one operation is. */
export function printRounds(samples: Samples, unit: string): void {
  const rows = [...samples].map(([name, taken]) => {
    const others = Object.keys(taken[0]?.otherUs ?? {}).map(
      (other) => `${other} ${short(median(taken.map(({ otherUs }) => otherUs[other]!)))}`,
    );
    return [
      name,
      spread(taken.map(({ perSecond }) => perSecond)),
      spread(taken.map(({ cpuUs }) => cpuUs)),
      others.join(', '),
      percent(taken.map(({ used }) => used)),
      [0, 1].map((core) => percent(taken.map(({ foreign }) => foreign[core]!))).join(', '),
    ];
  });
  const heads = [
    '',
    `${unit}/s median (range)`,
    `CPU µs/${unit}`,
    'others µs',
    'core used',
    'foreign',
  ];
  printTable(heads, rows);
}

/** Speed of `a` relative to `b`, by rate and by processor time: the median over the rounds. */
export function ratioOf(a: readonly Sample[], b: readonly Sample[]) {
  return {
    perSecond: median(a.map(({ perSecond }, round) => perSecond / b[round]!.perSecond)),
    cpu: median(a.map(({ cpuUs }, round) => b[round]!.cpuUs / cpuUs)),
  };
}

/** Prints a figure next to its budget. */
export function verdict(what: string, value: number, budget: string, isMet: boolean): void {
  say(`${isMet ? 'within' : 'SHORT '}  ${what}: ${short(value)} (budget ${budget})`);
}
