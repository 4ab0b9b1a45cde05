import { isLocalFault } from '../io/local-faults.ts';
import type { TargetOutcome } from '../model/observer.ts';
import type { Respond } from '../model/router.ts';
import { describeFault } from './fault.ts';

/** Why an attempt gave no response, and what the client receives when no other attempt follows. */
export interface AttemptFailure extends Omit<Respond, 'kind'> {
  readonly outcome: TargetOutcome;
  /** The fault lies neither in the request nor in the content of the response: another target may succeed. */
  readonly isWorthRepeating: boolean;
}

const NOT_TRIED: AttemptFailure = {
  outcome: 'not_tried',
  status: 503,
  code: 'no_connection_left',
  detail: 'the balancer cannot open another connection at the moment',
  isWorthRepeating: true,
};

export function connectFailed(cause: string): AttemptFailure {
  if (isLocalFault(cause)) return { ...NOT_TRIED, cause };
  return {
    outcome: 'connect_failed',
    status: 502,
    code: 'upstream_connect_failed',
    detail: 'could not connect to the target',
    cause,
    isWorthRepeating: true,
  };
}

export const CONNECT_TIMED_OUT: AttemptFailure = {
  outcome: 'connect_failed',
  status: 504,
  code: 'upstream_connect_timeout',
  detail: 'the target did not accept the connection in time',
  isWorthRepeating: true,
};

export const TIMED_OUT: AttemptFailure = {
  outcome: 'timed_out',
  status: 504,
  code: 'upstream_timeout',
  detail: 'the target did not answer in time',
  isWorthRepeating: false,
};

/** The time of the whole request is over. */
export const REQUEST_TIMED_OUT: Omit<Respond, 'kind'> = {
  status: 504,
  code: 'request_timeout',
  detail: 'the request was not answered completely in the time for all of it',
};

export function closedEarly(cause: string): AttemptFailure {
  return {
    outcome: isLocalFault(cause) ? 'cancelled' : 'failed',
    status: 502,
    code: 'upstream_closed',
    detail: 'the target closed the connection before its answer was complete',
    cause,
    isWorthRepeating: true,
  };
}

export function malformedAnswer(fault: number): AttemptFailure {
  const { code, detail } = describeFault(fault);
  return {
    outcome: 'failed',
    status: 502,
    code: 'upstream_bad_response',
    detail: 'the answer of the target is malformed',
    cause: `${code}: ${detail}`,
    isWorthRepeating: false,
  };
}
