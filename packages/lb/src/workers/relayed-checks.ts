import type { Checked, HealthChecks } from '../health/health-checks.ts';
import type { RelayedSource } from './relayed-source.ts';

/** Health checks that the balancer makes for all of its workers. */
export class RelayedChecks implements HealthChecks {
  readonly #source: RelayedSource;
  readonly #onChange: () => void;
  #watched = new Set<Checked>();
  #endHealth: (() => void) | undefined;

  constructor(source: RelayedSource, onChange: () => void) {
    this.#source = source;
    this.#onChange = onChange;
  }

  watch(targets: Iterable<Checked>): void {
    this.#watched = new Set(targets);
    if (this.#watched.size === 0) {
      this.#endHealth?.();
      this.#endHealth = undefined;
      return;
    }
    this.#endHealth ??= this.#source.onHealth(() => {
      if (this.#apply()) this.#onChange();
    });
    // Whoever watches looks at the states next.
    this.#apply();
  }

  tick(): void {}

  #apply(): boolean {
    let hasChanged = false;
    for (const target of this.#watched) {
      const told = this.#source.health.get(target.id);
      if (told !== undefined && target.health.show(told.state, told.detail)) hasChanged = true;
    }
    return hasChanged;
  }
}
