// What the parts of a server get of its settings.
import { RetryBudget } from '@rollcall/balancing';
import type { Clock } from '@rollcall/runtime';
import type { StallBounds } from '../io/write-stall.ts';
import type { HttpLimits, HttpTimeouts } from '../model/options.ts';
import type { PoolOptions } from './upstream-pool.ts';

interface Bounds {
  readonly timeouts: HttpTimeouts;
  readonly limits: HttpLimits;
}

const LOOKS_PER_BOUND = 3;

export function poolOptionsOf({ timeouts, limits }: Bounds): PoolOptions {
  return {
    connectMs: timeouts.connectMs,
    idleMs: timeouts.upstreamIdleMs,
    idlePerTarget: limits.idlePerTarget,
    openLimit: limits.clientConnections,
  };
}

export function budgetOf({ retryRatio, retryReserve }: HttpLimits, clock: Clock): RetryBudget {
  // Only requests earn retries: one balancer handles the requests of all its clients.
  const earned = { ratio: retryRatio, minPerSecond: 0 };
  return new RetryBudget(
    { ...earned, reserve: retryReserve, burst: retryReserve },
    clock.monotonicMs(),
  );
}

/** Looks often enough to notice a peer that takes bytes before any timeout for silence ends. */
export function stallBounds(timeouts: HttpTimeouts): StallBounds {
  const { writeStallMs, responseMs, responseIdleMs, tunnelIdleMs } = timeouts;
  const shortest = Math.min(writeStallMs, responseMs, responseIdleMs, tunnelIdleMs);
  return { boundMs: writeStallMs, lookMs: shortest / LOOKS_PER_BOUND };
}
