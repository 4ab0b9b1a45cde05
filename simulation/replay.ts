import { redisOf } from './redis-seeds.ts';
import { simulate } from './run.ts';

/** Runs one seed and prints everything; returns whether every promise was kept. */
export async function replay(seed: number): Promise<boolean> {
  const { scenario, trace, faults, figures, convergedMs } = await simulate(seed, {
    redis: redisOf(seed),
  });
  console.log(scenario);
  for (const line of trace) console.log(line);
  console.log(figures);
  console.log(`converged ${convergedMs.toFixed(0)} ms after everything was mended`);
  console.log(faults === '' ? 'every promise was kept' : faults);
  return faults === '';
}
