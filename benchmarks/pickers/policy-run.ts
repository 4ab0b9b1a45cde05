// Measures one policy and prints the costs as JSON; started by main.ts: POLICY time|heap Math.random|own.
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Candidate, createPicker, type Picker, type Policy } from '@rollcall/balancing';
import { createRandom } from './random.ts';

export interface PickCost {
  readonly endpoints: number;
  readonly weights: 'equal' | 'weighted';
  /** Per pick; 0 when the heap was measured. */
  readonly ns: number;
  /** Heap that a pick leaves behind, in bytes, over ten million picks; 0 when the time was measured. */
  readonly bytes: number;
  /** Collections during those picks: each would hide bytes. */
  readonly collections: number;
}

/** 24 is the largest number that `least-outstanding` compares completely. */
const SIZES = [3, 24, 100, 10_000];
const PICKS = 2_000_000;
const PICKS_FOR_HEAP = 10_000_000;
const CALLS_EACH = 3;
const WEIGHTS = [50, 100, 200];

const [policy, mode, random] = process.argv.slice(2) as [
  Policy,
  'time' | 'heap',
  'Math.random' | 'own',
];
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Bench {
  readonly picker: Picker<Counted>;
  /** The calls in progress, the oldest at `at`. */
  readonly underWay: Counted[];
  at: number;
}

/** A candidate whose calls the bench counts. */
interface Counted extends Candidate {
  inFlight: number;
}

type Case = Pick<PickCost, 'endpoints' | 'weights'>;

function benchOf({ endpoints, weights }: Case): Bench {
  const candidates = Array.from({ length: endpoints }, (_, i): Counted => {
    const weight = weights === 'weighted' ? WEIGHTS[i % WEIGHTS.length]! : 100;
    return { id: `10.0.0.1:${i}`, weight, tier: 0, inFlight: 0 };
  });
  const source = random === 'own' ? createRandom(1) : () => Math.random();
  const picker = createPicker(policy, candidates, { random: source });
  const underWay = candidates.flatMap((one) => Array.from({ length: CALLS_EACH }, () => one));
  for (const one of underWay) one.inFlight++;
  return { picker, underWay, at: 0 };
}

function pickMany(bench: Bench, count: number): void {
  const { picker, underWay } = bench;
  let { at } = bench;
  for (let i = 0; i < count; i++) {
    const result = picker.pick();
    if (result.kind !== 'picked') throw new Error('nobody picked');
    result.target.inFlight++;
    underWay[at]!.inFlight--;
    underWay[at] = result.target;
    at = at + 1 === underWay.length ? 0 : at + 1;
  }
  bench.at = at;
}

let collections = 0;
const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
    if (kind !== constants.NODE_PERFORMANCE_GC_WEAKCB) collections++;
  }
});
observer.observe({ entryTypes: ['gc'] });

async function heapOf(bench: Bench): Promise<Pick<PickCost, 'bytes' | 'collections'>> {
  pickMany(bench, PICKS);
  collect();
  await sleep(5); // reports of collections arrive late
  collections = 0;
  const before = process.memoryUsage().heapUsed;
  pickMany(bench, PICKS_FOR_HEAP);
  const after = process.memoryUsage().heapUsed;
  await sleep(5);
  return { bytes: Math.max(0, after - before) / PICKS_FOR_HEAP, collections };
}

function nsOf(bench: Bench): number {
  pickMany(bench, PICKS);
  const startMs = performance.now();
  pickMany(bench, PICKS);
  return ((performance.now() - startMs) * 1e6) / PICKS;
}

async function costOf(one: Case): Promise<PickCost> {
  const bench = benchOf(one);
  if (mode === 'time') return { ...one, ns: nsOf(bench), bytes: 0, collections: 0 };
  return { ...one, ns: 0, ...(await heapOf(bench)) };
}

const costs: PickCost[] = [];
for (const endpoints of SIZES) {
  for (const weights of ['equal', 'weighted'] as const)
    costs.push(await costOf({ endpoints, weights }));
}
observer.disconnect();
process.stdout.write(JSON.stringify(costs));
