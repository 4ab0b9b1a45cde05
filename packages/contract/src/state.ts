import { z } from 'zod';

/** The status that an instance reports, or that an operator sets as an override. */
export const InstanceStatus = z
  .enum(['up', 'starting', 'down', 'draining'])
  .meta({ id: 'InstanceStatus' });
export type InstanceStatus = z.output<typeof InstanceStatus>;

/** Why the registry doubts an instance that says it is up. */
export const Doubt = z.enum(['suspect', 'unreachable', 'unconfirmed']).meta({ id: 'Doubt' });
export type Doubt = z.output<typeof Doubt>;

/** The state of an instance: what it reports (or its override), or the doubt about it. */
export type InstanceState = InstanceStatus | Doubt;

/** 0 = use; 1 = use only when no tier 0 is left; null = do not use for new calls. */
export type Tier = 0 | 1 | null;

/** What a state means for callers that pick an endpoint. */
export interface Conditions {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly tier: Tier;
}

const USE = { ready: true, serving: true, terminating: false, tier: 0 } as const;
const LAST_RESORT = { ready: true, serving: true, terminating: false, tier: 1 } as const;
const NOT_READY = { ready: false, serving: false, terminating: false, tier: null } as const;

/** The only table from state to conditions; every picker, balancer and proxy reads it. */
export const STATE_TABLE: Readonly<Record<InstanceState, Conditions>> = Object.freeze({
  up: USE,
  starting: NOT_READY,
  down: NOT_READY,
  draining: { ready: false, serving: true, terminating: true, tier: null },
  suspect: LAST_RESORT,
  unreachable: LAST_RESORT,
  unconfirmed: LAST_RESORT,
});

/**
 * The state from all three sources: an operator's override beats what the instance reports, and a doubt only counts
 * when the state would otherwise be `up`.
 */
export function stateOf(
  reported: InstanceStatus,
  doubt: Doubt | undefined,
  override: InstanceStatus | undefined,
): InstanceState {
  const status = override ?? reported;
  return status === 'up' && doubt !== undefined ? doubt : status;
}
