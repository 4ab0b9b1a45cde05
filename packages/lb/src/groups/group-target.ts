import type { Candidate } from '@rollcall/balancing';
import type { Endpoint } from '@rollcall/client-sdk';
import { type Target, type TargetCounters, createTargetCounters } from '@rollcall/dataplane';
import { type HealthThresholds, HealthStatus } from '../health/health-status.ts';

export type TargetState = 'healthy' | 'unhealthy' | 'initial' | 'draining' | 'unused' | 'ejected';

/** How a target stands, and since when. */
export interface TargetStanding {
  readonly state: TargetState;
  /** For people; says where it comes from. */
  readonly reason: string;
  readonly since: Date;
}

/** Who hears how attempts on a target ended. */
export interface AttemptListener {
  onAnswered(target: GroupTarget, status: number): void;
  onFailed(target: GroupTarget, isConnect: boolean): void;
}

/** One endpoint as a target, from its first appearance until it has drained. */
export class GroupTarget implements Target, Candidate {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly counters: TargetCounters = createTargetCounters();
  readonly health: HealthStatus;
  readonly owner: AttemptListener;
  weight: number;
  tier: 0 | 1 = 0;
  endpoint: Endpoint;
  standing: TargetStanding;

  constructor(endpoint: Endpoint, owner: AttemptListener, start: TargetStart) {
    this.id = endpoint.id;
    this.host = endpoint.address;
    this.port = endpoint.port;
    this.endpoint = endpoint;
    this.weight = endpoint.weight;
    this.owner = owner;
    this.health = new HealthStatus(start.thresholds);
    this.standing = { state: 'initial', reason: '', since: start.since };
  }

  get inFlight(): number {
    return this.counters.inFlight;
  }

  /** Whether the same process stands behind this endpoint. */
  isAt(endpoint: Endpoint): boolean {
    return this.host === endpoint.address && this.port === endpoint.port;
  }

  update(endpoint: Endpoint): void {
    this.endpoint = endpoint;
    this.weight = endpoint.weight;
    this.tier = endpoint.tier ?? 0;
  }
}

export interface TargetStart {
  readonly thresholds: HealthThresholds;
  readonly since: Date;
}
