import type { Forward, RequestView, Respond } from '@rollcall/dataplane';

/** What a rule does with a request. */
export interface Action {
  /** `path`: in its normal form. */
  decide(request: RequestView, path: string): Forward | Respond;
}
