import { isLeaseId, ProblemError } from '@rollcall/contract';
import { missError, type Registry } from '../writes/registry.ts';
import { ownerOf } from '../access/caller.ts';
import type { HoldTracker } from '../watch/holds.ts';
import { type Caller, keyOf } from '../access/caller.ts';
import type { Binder } from './call.ts';
import type { ByCaller } from './load/by-caller.ts';
import type { RateLimiter } from './load/rate-limiter.ts';
import { StreamSlots } from './load/stream-slots.ts';

/** Limits of hold streams. */
interface HoldLimits {
  readonly maxHolds: number;
  /** 0 = no limit. */
  readonly maxWatchesPerToken: number;
}

export interface LeaseSources {
  readonly registry: Registry;
  readonly holds: HoldTracker;
  /** Rate limit of heartbeats per caller. @default no limit */
  readonly paces?: ByCaller<RateLimiter> | undefined;
  /** Limits of hold streams. @default none */
  readonly limits?: HoldLimits;
}

/** Lets the event loop process everything that has arrived. */
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** How many leases of a batch count as one heartbeat. */
const LEASES_PER_HEARTBEAT = 100;

/** The calls that keep leases alive. */
export function bindLeases(binder: Binder, sources: LeaseSources): void {
  const { registry, holds, paces, limits } = sources;
  const places = new StreamSlots({
    kind: 'hold',
    most: limits?.maxHolds ?? Infinity,
    option: '--max-holds',
    mostPerToken: limits?.maxWatchesPerToken ?? 0,
    onOverQuota: () => holds.totals.overQuota++,
  });
  const checkPace = (caller: Caller, leases: number) => {
    const cost = Math.max(1, leases / LEASES_PER_HEARTBEAT);
    const retryAfterSeconds = paces?.getOrCreate(keyOf(caller)).take(cost);
    if (retryAfterSeconds === undefined) return;
    const message = 'expected fewer heartbeats in a second from one caller';
    throw new ProblemError('rate_limited', message, { retryAfterSeconds });
  };
  binder.bind(
    'heartbeat',
    async ({ params: { lease }, caller }) => {
      checkPace(caller, 1);
      if (!isLeaseId(lease)) {
        throw new ProblemError('invalid_request', 'expected a lease id as the registry gave it', {
          field: 'lease',
        });
      }
      const { unknown, superseded } = await registry.renew([lease]);
      if (superseded.length > 0) throw missError('superseded', 'lease');
      if (unknown.length > 0) throw missError('unknown', 'lease');
    },
    { skipsValidation: true, priority: 'vital' },
  );
  binder.bind(
    'renew',
    async ({ body: { leases }, caller }) => {
      checkPace(caller, leases.length);
      return registry.renew(leases);
    },
    { priority: 'vital' },
  );
  binder.bind(
    'hold',
    async ({ query, caller, stream, isGone }) => {
      checkPace(caller, query.lease.length);
      const owner = ownerOf(caller);
      holds.checkOpen();
      await places.openInSlot(owner, async () => {
        // Of two holds the later one counts. A server that was paused finds requests that were given up meanwhile; the
        // ends of their connections come after them. These must not replace the hold that the client relies on.
        await turn();
        await turn();
        if (isGone())
          throw new ProblemError('request_timeout', 'the caller has closed the connection');
        const outcome = await holds.numberHolds(query.lease);
        const opened = stream();
        holds.track(opened, outcome);
        return opened;
      });
    },
    { priority: 'vital' },
  );
}
