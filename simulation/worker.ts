// Runs the seeds that it receives, and reports the result of each.
import { redisOf } from './redis-seeds.ts';
import { simulate } from './run.ts';

/** The result of one seed. */
export interface Report {
  readonly seed: number;
  /** Empty when every promise was kept. */
  readonly faults: string;
  readonly falseEvictions: number;
  readonly convergedMs: number;
  readonly longestStaleMs: number;
  readonly simulatedMs: number;
  readonly happened: number;
}

async function reportOf(seed: number): Promise<Report> {
  try {
    const { faults, figures, convergedMs, happened, simulatedMs } = await simulate(seed, {
      redis: redisOf(seed),
    });
    const { falseEvictions, longestStaleMs } = figures;
    return { seed, faults, falseEvictions, convergedMs, longestStaleMs, simulatedMs, happened };
  } catch (error) {
    const nothing = { falseEvictions: 0, convergedMs: 0, longestStaleMs: 0, simulatedMs: 0 };
    return { seed, faults: (error as Error).stack ?? String(error), ...nothing, happened: 0 };
  }
}

async function work({ from, to }: { readonly from: number; readonly to: number }): Promise<void> {
  const reports: Report[] = [];
  for (let seed = from; seed < to; seed++) reports.push(await reportOf(seed));
  process.send?.(reports);
}

process.on('message', (portion: Parameters<typeof work>[0]) => void work(portion));
// Open connections to Redis would keep the process alive.
process.on('disconnect', () => process.exit());
