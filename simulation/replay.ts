import { simulate } from './run.ts';

/** Lets one seed happen and prints all of it; gives whether every promise was kept. */
export async function replay(seed: number): Promise<boolean> {
  const { scenario, trace, faults, figures, convergedMs } = await simulate(seed);
  console.log(scenario);
  for (const line of trace) console.log(line);
  console.log(figures);
  console.log(`converged ${convergedMs.toFixed(0)} ms after everything was mended`);
  console.log(faults === '' ? 'every promise was kept' : faults);
  return faults === '';
}
