import { keyOf } from '../access/caller.ts';
import type { Picture } from '../picture/picture.ts';
import type { TrafficBoard } from '../views/traffic-board.ts';
import type { Binder } from './call.ts';

export interface TrafficSources {
  readonly traffic: TrafficBoard;
  readonly picture: Picture;
  /** Identifies this server's process. */
  readonly server: string;
  readonly maxWritesPerSecond: number;
}

/** The calls by which callers report their calls, and by which people read them. */
export function bindTraffic(binder: Binder, sources: TrafficSources): void {
  const { traffic, picture, server, maxWritesPerSecond: maxPerSecond } = sources;
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
    async ({ params: { ns } }) => ({ server, endpoints: traffic.loads(ns, knownIn(picture)) }),
    { isLong: true },
  );
}

/** Looks endpoints up, each service once. */
function knownIn(picture: Picture): (namespace: string, service: string, id: string) => boolean {
  const known = new Map<string, ReadonlySet<string>>();
  return (namespace, service, id) => {
    const key = `${namespace}/${service}`;
    let ids = known.get(key);
    if (ids === undefined) {
      ids = new Set(picture.service(namespace, service)?.endpoints.map((one) => one.id));
      known.set(key, ids);
    }
    return ids.has(id);
  };
}
