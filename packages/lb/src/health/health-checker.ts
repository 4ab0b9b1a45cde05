import type { Clock, Random } from '@rollcall/runtime';
import type { Checked, HealthChecks } from './health-checks.ts';
import type { Probe } from './probe.ts';

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

/**
 * Checks each target at its interval, the first time at once, and never twice concurrently. Driven by
 * `tick`: it has no timer of its own.
 */
export class HealthChecker implements HealthChecks {
  readonly #intervalMs: number;
  readonly #parts: CheckerParts;
  readonly #schedules = new Map<Checked, Schedule>();

  constructor(intervalMs: number, parts: CheckerParts) {
    this.#intervalMs = intervalMs;
    this.#parts = parts;
  }

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

  /** Starts the checks that are due. */
  tick(): void {
    const now = this.#parts.clock.monotonicMs();
    for (const [target, schedule] of this.#schedules) {
      if (schedule.isRunning || now < schedule.dueAt) continue;
      // 10 % jitter, so that many balancers do not check at the same moment.
      schedule.dueAt = now + this.#intervalMs * (0.9 + 0.2 * this.#parts.random());
      schedule.isRunning = true;
      void this.#check(target, schedule);
    }
  }

  async #check(target: Checked, schedule: Schedule): Promise<void> {
    const { isGood, detail, isLocalFault } = await this.#parts.probe
      .probe(target)
      // A bug here must not stop the checks of this target.
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
