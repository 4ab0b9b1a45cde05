import type { Candidate } from './candidate.ts';
import type { Level, OrderFactory } from './order.ts';
import { LeastOutstanding } from './least-outstanding.ts';
import { P2c } from './p2c.ts';
import { RandomOrder } from './random.ts';
import { Rendezvous } from './rendezvous.ts';
import { RoundRobin } from './round-robin.ts';
import { ShortestDelay } from './shortest-delay.ts';

/** The level with equal weights: the IPVS schedulers without `w` in their name ignore weights above 0. */
function unweighted<T extends Candidate>(level: Level<T>): Level<T> {
  return level.isEqual ? level : { ...level, weights: level.targets.map(() => 1), isEqual: true };
}

const NOW = { extraCalls: 0, isIdleFirst: false } as const;
const EXPECTED = { extraCalls: 1, isIdleFirst: false } as const;
const NEVER_QUEUE = { extraCalls: 1, isIdleFirst: true } as const;

/**
 * All policies, by name: a policy orders candidates and knows nothing about health. Short names are those of the IPVS
 * schedulers; `wrr` is `round-robin`.
 */
export const POLICIES = Object.freeze({
  /** In turn, by weight. */
  'round-robin': (level, random) => new RoundRobin(level, random),
  /** Random, by weight. */
  random: (level, random) => new RandomOrder(level, random),
  /** The less loaded of two random ones. */
  p2c: (level, random) => new P2c(level, random),
  /** The least loaded of all (up to 24), else of four. */
  'least-outstanding': (level, random) => new LeastOutstanding(level, random),
  /** In turn, ignoring weights. */
  rr: (level, random) => new RoundRobin(unweighted(level), random),
  /** In turn, by weight. */
  wrr: (level, random) => new RoundRobin(level, random),
  /** The fewest connections in progress, compared over all. */
  lc: (level, random) => new ShortestDelay(unweighted(level), random, NOW),
  /** The fewest connections in progress per weight, compared over all. */
  wlc: (level, random) => new ShortestDelay(level, random, NOW),
  /** By the hash of the caller's address. */
  sh: (level, random) => new Rendezvous(level, random),
  /** By the hash of the destination. */
  dh: (level, random) => new Rendezvous(level, random),
  /** Shortest expected delay: the fewest connections in progress per weight, counting the new one. */
  sed: (level, random) => new ShortestDelay(level, random, EXPECTED),
  /** Never queue: an idle target, else the shortest expected delay. */
  nq: (level, random) => new ShortestDelay(level, random, NEVER_QUEUE),
}) satisfies Readonly<Record<string, OrderFactory>>;

export type Policy = keyof typeof POLICIES;

const names = Object.keys(POLICIES) as [Policy, ...Policy[]];

/** For connections: every policy. */
export const CONNECTION_POLICIES: readonly [Policy, ...Policy[]] = Object.freeze(names);

/** For requests: the policies without a hash, since a request has neither a caller address nor a destination. */
export const REQUEST_POLICIES = Object.freeze(
  names.filter((name) => name !== 'sh' && name !== 'dh'),
) as readonly [RequestPolicy, ...RequestPolicy[]];

/** Whether a pick is a draw: another one, a moment later, may return another target. */
export const drawsAtRandom = (policy: Policy): boolean => policy === 'random' || policy === 'p2c';

export type RequestPolicy = Exclude<Policy, 'sh' | 'dh'>;

/** The policy with this name; undefined if there is none. */
export function policyOf(name: string): Policy | undefined {
  return Object.hasOwn(POLICIES, name) ? (name as Policy) : undefined;
}
