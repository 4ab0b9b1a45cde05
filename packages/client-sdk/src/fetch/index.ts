import { type Fetch, hostFetch } from './host-fetch.ts';
import { reachOf } from '../calls/reach.ts';

/** A `Rollcall`. */
export interface Fetching {
  readonly fetch: Fetch;
}

/**
 * Replaces the `fetch` of the process by one that also reaches `http://<service>.rollcall`, for code that cannot be
 * given a `fetch` of its own. Urls of other hosts, and calls with a `dispatcher` of their own, go to the `fetch` that was
 * there before, untouched. Returns a function that puts that one back, unless it was replaced again in the meantime.
 */
export function installGlobalFetch(rollcall: Fetching): () => void {
  const reach = reachOf(rollcall);
  const before = globalThis.fetch;
  const fetch = hostFetch(
    (url) => reach.dispatcherAt(url),
    (_, ...call) => rollcall.fetch(...call),
    () => before,
  );
  globalThis.fetch = fetch;
  return () => {
    if (globalThis.fetch === fetch) globalThis.fetch = before;
  };
}
