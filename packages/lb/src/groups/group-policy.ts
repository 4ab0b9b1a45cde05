import type { Policy, PoolSettings } from '@rollcall/balancing';
import type { TargetGroupConfig } from '../config/schema.ts';

/** The policy of a group. Clients that are told apart by a hash need one that uses it. */
export function policyOf({ policy, stickiness }: TargetGroupConfig): Policy {
  return stickiness === undefined || stickiness.by === 'cookie' ? policy : 'sh';
}

export function poolSettingsOf(config: TargetGroupConfig): PoolSettings {
  const { ejection, slowStartMs, failOpenBelow, nearZone: zone, zoneSpillBelow } = config;
  const nearZone = zone === undefined ? undefined : { zone, spillBelow: zoneSpillBelow };
  return { ejection, slowStartMs, failOpenBelow, nearZone };
}
