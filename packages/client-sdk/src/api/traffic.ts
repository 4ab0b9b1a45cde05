import type { TrafficWindow } from '@rollcall/balancing';

/** An endpoint to which calls are made. */
export interface CalledTarget {
  /** Id of the endpoint. */
  readonly id: string;
  /** Calls under way. */
  readonly inFlight: number;
  /** Its calls since they were last taken. */
  readonly traffic: { take(): TrafficWindow };
}

/** The calls to the endpoints of one service. */
export interface TrafficSource {
  readonly service: string;
  /** @default the client's `namespace` */
  readonly namespace?: string;
  targets(): Iterable<CalledTarget>;
}
