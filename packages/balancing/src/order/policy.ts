import type { Candidate } from './candidate.ts';
import type { Level, OrderFactory } from './order.ts';
import { LeastOutstanding } from './least-outstanding.ts';
import { P2c } from './p2c.ts';
import { RandomOrder } from './random.ts';
import { Rendezvous } from './rendezvous.ts';
import { RoundRobin } from './round-robin.ts';
import { ShortestDelay } from './shortest-delay.ts';

/** As if all were alike: what has no `w` in its IPVS name does not look at weights, above 0. */
function unweighted<T extends Candidate>(level: Level<T>): Level<T> {
  return level.isEqual ? level : { ...level, weights: level.targets.map(() => 1), isEqual: true };
}

const NOW = { ahead: 0, isIdleFirst: false } as const;
const EXPECTED = { ahead: 1, isIdleFirst: false } as const;
const NEVER_QUEUE = { ahead: 1, isIdleFirst: true } as const;

/**
 * The one table of how a target is chosen, by name: a policy orders candidates and knows nothing of health. Those with
 * short names are the schedulers of IPVS; `wrr` is `round-robin`.
 */
export const POLICIES = Object.freeze({
  /** Each in turn, by weight. */
  'round-robin': (level, random) => new RoundRobin(level, random),
  /** Drawn, by weight. */
  random: (level, random) => new RandomOrder(level, random),
  /** Of two drawn, the less loaded one. */
  p2c: (level, random) => new P2c(level, random),
  /** The least loaded of all (up to 24), else of four. */
  'least-outstanding': (level, random) => new LeastOutstanding(level, random),
  /** Each in turn, whatever its weight. */
  rr: (level, random) => new RoundRobin(unweighted(level), random),
  /** Each in turn, by weight. */
  wrr: (level, random) => new RoundRobin(level, random),
  /** The fewest under way, of all. */
  lc: (level, random) => new ShortestDelay(unweighted(level), random, NOW),
  /** The fewest under way per weight, of all. */
  wlc: (level, random) => new ShortestDelay(level, random, NOW),
  /** By the hash of the caller's address. */
  sh: (level, random) => new Rendezvous(level, random),
  /** By the hash of the destination. */
  dh: (level, random) => new Rendezvous(level, random),
  /** Shortest expected delay: the fewest under way per weight, this one counted. */
  sed: (level, random) => new ShortestDelay(level, random, EXPECTED),
  /** Never queue: an idle one, else the shortest expected delay. */
  nq: (level, random) => new ShortestDelay(level, random, NEVER_QUEUE),
}) satisfies Readonly<Record<string, OrderFactory>>;

export type Policy = keyof typeof POLICIES;

const names = Object.keys(POLICIES) as [Policy, ...Policy[]];

/** For connections: every one. */
export const CONNECTION_POLICIES: readonly [Policy, ...Policy[]] = Object.freeze(names);

/** For requests: those that need no hash, since a request has neither the address of a caller nor a destination. */
export const REQUEST_POLICIES = Object.freeze(
  names.filter((name) => name !== 'sh' && name !== 'dh'),
) as readonly [RequestPolicy, ...RequestPolicy[]];

export type RequestPolicy = Exclude<Policy, 'sh' | 'dh'>;

/** The policy of that name; undefined where there is none. */
export function policyOf(name: string): Policy | undefined {
  return Object.hasOwn(POLICIES, name) ? (name as Policy) : undefined;
}
