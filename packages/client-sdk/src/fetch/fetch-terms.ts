import type { Dispatcher } from 'undici';
import type { CallSettings, ParsedSettings } from '../api/call-settings.ts';
import { type CallRules, parseSettings, rulesOf, withRules } from '../calls/call-rules.ts';
import { takenOver } from '../undici/taken-over.ts';

/** What a fetch was given for its calls of services. */
export interface FetchTerms {
  readonly rules: CallRules | undefined;
  readonly waitMs: number | undefined;
  readonly idempotent: boolean | undefined;
}

/**
 * `base`: those of the client or the service. Undefined when there are none. Throws a RollcallError `invalid_options`
 * that names a wrong one.
 */
export function fetchTermsOf(
  base: CallRules | undefined,
  given: CallSettings | undefined,
): FetchTerms | undefined {
  if (given === undefined && base === undefined) return undefined;
  const settings: Partial<ParsedSettings> = given === undefined ? {} : parseSettings(given);
  const { waitMs, idempotent } = settings;
  return { rules: rulesOf(base, settings), waitMs, idempotent };
}

/** The options of one request of a fetch to a service. `isOther`: it was redirected to another service. */
type Settle = (options: Dispatcher.DispatchOptions, isOther: boolean) => Dispatcher.DispatchOptions;

/** For one fetch, which begins now: its time limit goes on over redirects. */
export function settleTerms(
  { rules, waitMs, idempotent }: FetchTerms,
  nowMs: () => number,
): Settle {
  const startedMs = nowMs();
  return (options, isOther) => {
    const own = {
      ...takenOver(options),
      ...(waitMs === undefined ? {} : { waitMs }),
      ...(idempotent === undefined ? {} : { idempotent }),
    };
    if (rules === undefined) return own;
    // The filter says which endpoints of the first service.
    const endpoint = isOther ? undefined : rules.endpoint;
    return withRules(own, { ...rules, startedMs, endpoint });
  };
}
