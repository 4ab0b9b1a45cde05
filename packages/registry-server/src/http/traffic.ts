import { keyOf } from '../access/caller.ts';
import type { TrafficBoard } from '../views/traffic-board.ts';
import type { Binder } from './call.ts';

export interface TrafficSources {
  readonly traffic: TrafficBoard;
  /** Identifies this server's process. */
  readonly server: string;
  readonly maxWritesPerSecond: number;
}

/** The calls by which callers report their calls, and by which people read them. */
export function bindTraffic(binder: Binder, sources: TrafficSources): void {
  const { traffic, server, maxWritesPerSecond: maxPerSecond } = sources;
  binder.bind(
    'putTraffic',
    async ({ params: { ns, reporter }, body, caller }) => {
      traffic.put({ namespace: ns, reporter, owner: keyOf(caller) }, body);
    },
    // A limit of its own: reports never take the place of registrations.
    { maxPerSecond, rateGroup: 'traffic' },
  );
  binder.bind(
    'readTraffic',
    async ({ params: { ns } }) => ({ server, endpoints: traffic.loads(ns) }),
    { isLong: true },
  );
}
