import type { ServiceKey } from '@rollcall/contract';
import type { Member } from './membership.ts';

/** What of a service is to be looked at, and the revision that a difference gets. */
export interface Touch {
  readonly members: Set<Member>;
  /** Whoever could be a member, besides. */
  isWhole: boolean;
  revision: number;
}

/** By `namespace/service`. */
export type Touched = Map<ServiceKey, Touch>;

/** What is to be looked at of one service, from now on at this revision. */
export function touchOf(touched: Touched, key: ServiceKey, revision: number): Touch {
  const known = touched.get(key);
  if (known === undefined) {
    const touch = { members: new Set<Member>(), isWhole: false, revision };
    touched.set(key, touch);
    return touch;
  }
  // The service's own last entry, not the batch's, so that a stream can resume between them.
  known.revision = revision;
  return known;
}
