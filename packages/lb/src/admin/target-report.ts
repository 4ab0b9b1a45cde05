import type { GroupTarget } from '../groups/group-target.ts';
import type { RegistryTargetGroup } from '../groups/target-group.ts';

/** `GET /targets`: the state of every target, with the reason. */
export function reportTargets(groups: Iterable<RegistryTargetGroup>) {
  return { targetGroups: Array.from(groups, reportGroup) };
}

function reportGroup(group: RegistryTargetGroup) {
  const { service, namespace, policy } = group.config;
  return {
    name: group.name,
    service,
    namespace,
    policy,
    hasPicture: group.hasPicture,
    pictureAgeMs: group.hasPicture ? Math.round(group.pictureAgeMs) : null,
    isFailOpen: group.isFailOpen,
    trouble: group.trouble,
    targets: group.targets().map(reportTarget),
  };
}

function reportTarget(target: GroupTarget) {
  const { standing, endpoint, counters } = target;
  return {
    id: target.id,
    address: target.host,
    port: target.port,
    zone: endpoint.zone,
    weight: target.weight,
    tier: endpoint.tier,
    state: standing.state,
    reason: standing.reason,
    since: standing.since.toISOString(),
    inFlight: target.inFlight,
    requests: counters.requests,
    failures: counters.failures,
    connectFailures: counters.connectFailures,
    connections: counters.connections,
  };
}
