import type { SeededRandom } from './random.ts';

/** The start and the length of a fault, in ms. */
interface PlannedFault {
  readonly fault: string;
  readonly atMs: number;
  readonly forMs: number;
}

/** The scenario of a seed. */
export interface Scenario {
  readonly servers: number;
  readonly instances: number;
  readonly watchers: number;
  readonly ttlMs: number;
  readonly logLength: number;
  /** Offset of each server's wall clock, in ms. */
  readonly skewsMs: readonly number[];
  readonly faults: readonly PlannedFault[];
  /** When all faults have ended, in ms. */
  readonly healMs: number;
}

const HOUR_MS = 3_600_000;
const CALM_MS = 4_000;

/** Draws a scenario: a small fleet and a few faults, with probabilities by weight; some faults overlap. */
export function scenarioOf(
  random: SeededRandom,
  weights: Readonly<Record<string, number>>,
): Scenario {
  const servers = random.one([1, 2, 2, 3]);
  const ttlMs = random.one([3_000, 3_000, 5_000, 10_000]);
  const faults: PlannedFault[] = [];
  let atMs = CALM_MS;
  const count = 1 + random.below(5);
  for (let i = 0; i < count; i++) {
    const fault = random.weighted(weights);
    const forMs = random.one([300, 1_000, 2_500, 6_000, ttlMs * 2 + 500]);
    faults.push({ fault, atMs, forMs });
    // Some faults come alone, so that their effects can be judged; some overlap.
    atMs += random.chance(0.3) ? random.between(0, forMs) : forMs + random.between(0, ttlMs * 2);
  }
  const lastMs = Math.max(...faults.map((one) => one.atMs + one.forMs));
  return {
    servers,
    instances: 2 + random.below(6),
    watchers: 1 + random.below(2),
    ttlMs,
    logLength: random.one([5, 50, 10_000]),
    skewsMs: Array.from({ length: servers }, () => random.one([0, 0, HOUR_MS, -HOUR_MS])),
    faults,
    healMs: lastMs + 500,
  };
}
