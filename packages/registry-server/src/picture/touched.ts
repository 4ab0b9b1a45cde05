import type { ServiceKey } from '@rollcall/contract';
import type { Member } from './membership.ts';

/** What to derive again of a service, and the revision of a resulting change. */
export interface Touch {
  readonly members: Set<Member>;
  /** Also look at every instance that could be a member. */
  isWhole: boolean;
  revision: number;
  /** The first entry of the service in the run. */
  readonly first: number;
}

/** By `namespace/service`. */
export type Touched = Map<ServiceKey, Touch>;

/** The touch of a service, made if needed, with its revision raised to this one. */
export function touchOf(touched: Touched, key: ServiceKey, revision: number): Touch {
  const known = touched.get(key);
  if (known === undefined) {
    const touch = { members: new Set<Member>(), isWhole: false, revision, first: revision };
    touched.set(key, touch);
    return touch;
  }
  // The last entry of the service itself, not of the batch, so that a stream can resume between services.
  known.revision = revision;
  return known;
}
