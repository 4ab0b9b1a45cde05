import type { OrderFactory } from './order.ts';
import { LeastOutstanding } from './order/least-outstanding.ts';
import { P2c } from './order/p2c.ts';
import { RandomOrder } from './order/random.ts';
import { RoundRobin } from './order/round-robin.ts';

/** The policies by name; a policy orders candidates and knows nothing of health. */
export const POLICIES = Object.freeze({
  /** Each in turn, by weight. */
  'round-robin': (level, random) => new RoundRobin(level, random),
  /** Drawn, by weight. */
  random: (level, random) => new RandomOrder(level, random),
  /** Of two drawn, the less loaded one. */
  p2c: (level, random) => new P2c(level, random),
  /** The least loaded of all (up to 24), else of four. */
  'least-outstanding': (level, random) => new LeastOutstanding(level, random),
}) satisfies Readonly<Record<string, OrderFactory>>;

export type Policy = keyof typeof POLICIES;
