import type { Config, TargetGroupConfig } from './schema.ts';

/** Tells each group that prefers the zone of the balancer which one that is. */
export function withNearZones(config: Config): Config {
  const near = ([name, group]: [string, TargetGroupConfig]) =>
    [name, group.preferZone ? { ...group, nearZone: config.zone } : group] as const;
  return {
    ...config,
    targetGroups: Object.fromEntries(Object.entries(config.targetGroups).map(near)),
  };
}
