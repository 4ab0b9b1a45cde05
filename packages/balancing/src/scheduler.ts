import type { Candidate } from './candidate.ts';
import type { Level, OrderFactory } from './order.ts';
import { Rendezvous } from './order/rendezvous.ts';
import { RoundRobin } from './order/round-robin.ts';
import { ShortestDelay } from './order/shortest-delay.ts';

/** As if all were alike: the schedulers without a `w` do not look at weights, above 0. */
function unweighted<T extends Candidate>(level: Level<T>): Level<T> {
  return level.isEqual ? level : { ...level, weights: level.targets.map(() => 1), isEqual: true };
}

const NOW = { ahead: 0, isIdleFirst: false } as const;
const EXPECTED = { ahead: 1, isIdleFirst: false } as const;
const NEVER_QUEUE = { ahead: 1, isIdleFirst: true } as const;

/** The schedulers for connections, by the names that IPVS has given them. */
export const SCHEDULERS = Object.freeze({
  /** Each in turn. */
  rr: (level, random) => new RoundRobin(unweighted(level), random),
  /** Each in turn, by weight. */
  wrr: (level, random) => new RoundRobin(level, random),
  /** The fewest connections. */
  lc: (level, random) => new ShortestDelay(unweighted(level), random, NOW),
  /** The fewest connections per weight. */
  wlc: (level, random) => new ShortestDelay(level, random, NOW),
  /** By the hash of the caller's address. */
  sh: (level, random) => new Rendezvous(level, random),
  /** By the hash of the destination. */
  dh: (level, random) => new Rendezvous(level, random),
  /** Shortest expected delay: the fewest connections per weight, this one counted. */
  sed: (level, random) => new ShortestDelay(level, random, EXPECTED),
  /** Never queue: an idle one, else the shortest expected delay. */
  nq: (level, random) => new ShortestDelay(level, random, NEVER_QUEUE),
}) satisfies Readonly<Record<string, OrderFactory>>;

export type Scheduler = keyof typeof SCHEDULERS;
