import type { HealthStatus } from './health-status.ts';
import type { ProbeAddress } from './probe.ts';

/** A target of health checks; the object is its identity. */
export interface Checked extends ProbeAddress {
  readonly id: string;
  readonly health: HealthStatus;
}

/** Keeps the `health` of targets up to date. */
export interface HealthChecks {
  /** From now on, exactly these targets are checked. */
  watch(targets: Iterable<Checked>): void;
  /** Must be called several times per second. */
  tick(): void;
}
