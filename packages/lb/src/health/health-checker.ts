import type { Clock, Random } from '@rollcall/runtime';
import type { HealthStatus } from './health-status.ts';
import type { Probe, ProbeAddress } from './probe.ts';

/** Something that is checked; its identity is the object. */
export interface Checked extends ProbeAddress {
  readonly health: HealthStatus;
}

interface Schedule {
  dueAt: number;
  isRunning: boolean;
}

export interface CheckerParts {
  readonly probe: Probe;
  readonly clock: Clock;
  readonly random: Random['share'];
  readonly onChange: () => void;
}

/** Checks each target at its interval, first at once, never twice at a time. Driven by `tick`: no timer of its own. */
export class HealthChecker {
  readonly #intervalMs: number;
  readonly #parts: CheckerParts;
  readonly #schedules = new Map<Checked, Schedule>();

  constructor(intervalMs: number, parts: CheckerParts) {
    this.#intervalMs = intervalMs;
    this.#parts = parts;
  }

  /** From now on exactly these are checked. */
  watch(targets: Iterable<Checked>): void {
    const wanted = new Set(targets);
    for (const target of this.#schedules.keys()) {
      if (!wanted.has(target)) this.#schedules.delete(target);
    }
    for (const target of wanted) {
      if (this.#schedules.has(target)) continue;
      this.#schedules.set(target, { dueAt: this.#parts.clock.monotonicMs(), isRunning: false });
    }
  }

  /** Starts what is due. */
  tick(): void {
    const now = this.#parts.clock.monotonicMs();
    for (const [target, schedule] of this.#schedules) {
      if (schedule.isRunning || now < schedule.dueAt) continue;
      // A tenth more or less, so that many balancers do not knock at the same moment.
      schedule.dueAt = now + this.#intervalMs * (0.9 + 0.2 * this.#parts.random());
      schedule.isRunning = true;
      void this.#check(target, schedule);
    }
  }

  async #check(target: Checked, schedule: Schedule): Promise<void> {
    const { isGood, detail, isLocalFault } = await this.#parts.probe
      .check(target)
      // A fault here must not end the checks of this target.
      .finally(() => {
        schedule.isRunning = false;
      });
    if (this.#schedules.get(target) !== schedule) return;
    if (isLocalFault === true) {
      target.health.detail = detail;
      return;
    }
    if (target.health.record(isGood, detail)) this.#parts.onChange();
  }
}
