import type { Endpoint } from '@rollcall/client-sdk';
import { type Connector, EndpointTarget } from '@rollcall/dataplane';
import { type HealthThresholds, HealthStatus } from '../health/health-status.ts';

export type TargetState = 'healthy' | 'unhealthy' | 'initial' | 'draining' | 'unused' | 'ejected';

/** The state of a target, and since when. */
export interface TargetStanding {
  readonly state: TargetState;
  /** Readable text that names the source. */
  readonly reason: string;
  readonly since: Date;
}

/** Receives the outcomes of attempts on a target. */
export interface AttemptListener {
  onAnswered(target: GroupTarget, status: number): void;
  onFailed(target: GroupTarget, isConnect: boolean): void;
  /** A target has one request less. */
  onEnded(): void;
}

/** One endpoint as a target, from its first appearance until it has drained. */
export class GroupTarget extends EndpointTarget {
  readonly health: HealthStatus;
  readonly owner: AttemptListener;
  /** Makes new connections over TLS; undefined: plain ones. */
  connector: Connector | undefined;
  standing: TargetStanding;

  constructor(endpoint: Endpoint, owner: AttemptListener, start: TargetStart) {
    super(endpoint);
    this.owner = owner;
    this.connector = start.connector;
    this.health = new HealthStatus(start.thresholds);
    this.standing = { state: 'initial', reason: '', since: start.since };
  }

  override end(): void {
    super.end();
    this.owner.onEnded();
  }
}

export interface TargetStart {
  readonly thresholds: HealthThresholds;
  readonly since: Date;
  readonly connector: Connector | undefined;
}
