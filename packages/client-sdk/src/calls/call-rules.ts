import type { Dispatcher } from 'undici';
import { type CallLimits, type ParsedSettings, settingsSchema } from '../api/call-settings.ts';
import { parseOptions } from '../base/parse-options.ts';
import { type EndpointRule, endpointRuleOf } from './endpoint-filter.ts';

/** Limits of a call. Most calls have none, and cost nothing for it. */
export interface CallRules {
  /** Of the whole call, in ms; 0 = none. */
  readonly timeoutMs: number;
  /** When the time of the whole call began, if that was before this part of it. */
  readonly startedMs?: number;
  /** Of one try, in ms; 0 = none. */
  readonly tryTimeoutMs: number;
  /** Further tries; undefined = the client's own number. */
  readonly times: number | undefined;
  /** Statuses whose answer is dropped in favour of another try. */
  readonly on: readonly number[];
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
  readonly endpoint: EndpointRule | undefined;
}

const NO_RULES: CallRules = Object.freeze({
  timeoutMs: 0,
  tryTimeoutMs: 0,
  times: undefined,
  on: Object.freeze([]),
  backoff: Object.freeze({ minMs: 50, maxMs: 1_000 }),
  endpoint: undefined,
});
const USUAL_STATUSES: readonly number[] = Object.freeze([502, 503, 504]);

/** `base`, with what is given in its place. Undefined when there is nothing in either. */
export function rulesOf(
  base: CallRules | undefined,
  { timeoutMs, tryTimeoutMs, retry, endpoint }: CallLimits & Pick<ParsedSettings, 'endpoint'>,
): CallRules | undefined {
  const isEmpty = (timeoutMs ?? tryTimeoutMs ?? retry ?? endpoint) === undefined;
  if (isEmpty) return base;
  const before = base ?? NO_RULES;
  const usualOn = before.on.length > 0 ? before.on : USUAL_STATUSES;
  return Object.freeze({
    timeoutMs: timeoutMs ?? before.timeoutMs,
    tryTimeoutMs: tryTimeoutMs ?? before.tryTimeoutMs,
    times: retry?.times ?? before.times,
    on: retry === undefined ? before.on : (retry.on ?? usualOn),
    backoff: backoffOf(before, retry?.backoff),
    endpoint: endpoint === undefined ? before.endpoint : endpointRuleOf(endpoint),
  });
}

/** A limit given alone moves the other one with it, so that the smaller stays the smaller. */
function backoffOf(
  { backoff: before }: CallRules,
  given: { readonly minMs?: number | undefined; readonly maxMs?: number | undefined } = {},
): CallRules['backoff'] {
  const { minMs = Math.min(before.minMs, given.maxMs ?? Infinity) } = given;
  return { minMs, maxMs: given.maxMs ?? Math.max(before.maxMs, minMs) };
}

/** Checks the options of one call. Throws a RollcallError `invalid_options` that names the wrong one. */
export function parseSettings(given: { readonly endpoint?: unknown }): ParsedSettings {
  return parseOptions(settingsSchema(given.endpoint), given);
}

const RULES = Symbol('rules of a call');

interface Ruled {
  readonly [RULES]?: CallRules | undefined;
}

/** Lets the dispatcher of a service know the rules of a call. */
export function withRules<T extends object>(options: T, rules: CallRules | undefined): T {
  return rules === undefined ? options : { ...options, [RULES]: rules };
}

export const rulesIn = (options: Dispatcher.DispatchOptions): CallRules | undefined =>
  (options as Ruled)[RULES];
