// What does one pick cost, under each policy, at 3, 100 and 10,000 endpoints, and does it allocate?
//
// Budget: at most 100 ns at 100 endpoints and 150 ns at 10,000, and no allocation. Each policy runs in its
// own processes, as in a program that uses one policy. There are always three calls in progress per
// endpoint: a pick increments its endpoint's count and ends the oldest call. This costs a few nanoseconds
// more than the pick and is included.
//
// Times are measured with Math.random, as programs use it. Bytes are the growth of the heap over ten million picks,
// with a young generation so large that nothing is collected in between: once with a random source that does not
// allocate, which shows the picker's own cost, and once with Math.random, which shows what that adds.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Policy } from '@rollcall/balancing';
import { sayMachine } from '../support/machine.ts';
import { canPin, CORE } from '../support/placement.ts';
import { median } from '../support/statistics.ts';
import { printTable, say } from '../support/table.ts';
import type { PickCost } from './policy-run.ts';

const ROUNDS = 5;
const YOUNG_MB = 768;
const BUDGET_NS: Readonly<Record<number, number>> = { 24: 100, 100: 100, 10_000: 150 };

/** An object has at least 16 bytes: a smaller average was left by the compiler while it warmed up. */
const NO_BYTES = 0.5;

function runOf(policy: string, mode: 'time' | 'heap', random: 'Math.random' | 'own'): PickCost[] {
  const young =
    mode === 'heap' ? ['min', 'max'].map((end) => `--${end}-semi-space-size=${YOUNG_MB}`) : [];
  const file = join(import.meta.dirname, 'policy-run.ts');
  const args = [process.execPath, ...young, ...process.execArgv, file, policy, mode, random];
  const [command = '', ...rest] = canPin ? ['taskset', '-c', String(CORE.tested), ...args] : args;
  const { stdout, stderr, status } = spawnSync(command, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${policy}: ${stderr}`);
  return JSON.parse(stdout) as PickCost[];
}

function bytesOf(cost: PickCost): string {
  if (cost.collections > 0) return 'collected';
  return cost.bytes < NO_BYTES ? '0' : cost.bytes.toFixed(1);
}

sayMachine();
// The other policies are those of IPVS: they compare or hash all targets, so they cost in proportion to their number.
const policies = [
  'round-robin',
  'random',
  'p2c',
  'least-outstanding',
] as const satisfies readonly Policy[];
const times = new Map<Policy, PickCost[][]>(policies.map((policy) => [policy, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const policy of policies) times.get(policy)!.push(runOf(policy, 'time', 'Math.random'));
}

const rows: string[][] = [];
const short: string[] = [];
for (const policy of policies) {
  const own = runOf(policy, 'heap', 'own');
  const shipped = runOf(policy, 'heap', 'Math.random');
  own.forEach((cost, at) => {
    const { endpoints, weights } = cost;
    const ns = times.get(policy)!.map((run) => run[at]!.ns);
    const budget = BUDGET_NS[endpoints];
    const isWithin = median(ns) <= (budget ?? Infinity) && bytesOf(cost) === '0';
    if (!isWithin) short.push(`${policy} ${weights} ${endpoints}`);
    const range = `${Math.min(...ns).toFixed(0)}-${Math.max(...ns).toFixed(0)}`;
    rows.push([
      policy,
      weights,
      String(endpoints),
      median(ns).toFixed(0),
      range,
      String(budget ?? ''),
      bytesOf(cost),
      bytesOf(shipped[at]!),
      isWithin ? 'within' : 'SHORT',
    ]);
  });
}
const heads = ['policy', 'weights', 'endpoints', 'ns/pick', 'range', 'budget', 'bytes'];
printTable([...heads, 'bytes with Math.random', ''], rows);
say(short.length === 0 ? 'Every case is within its budget.' : `SHORT: ${short.join('; ')}.`);
