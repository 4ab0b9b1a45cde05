import type { GroupTarget, TargetState } from './group-target.ts';

/** The state of a target, with the reason, as plain data. */
export interface TargetReport {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  readonly weight: number;
  readonly tier: 0 | 1 | null;
  readonly state: TargetState;
  readonly reason: string;
  readonly since: string;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  readonly connectFailures: number;
  readonly connections: number;
}

export function reportTarget(target: GroupTarget): TargetReport {
  const { standing, endpoint, counters } = target;
  return {
    id: target.id,
    address: target.host,
    port: target.port,
    zone: endpoint.zone,
    weight: endpoint.weight,
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
