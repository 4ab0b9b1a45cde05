/** How many checks in a row change the state. */
export interface HealthThresholds {
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
}

export type HealthState = 'initial' | 'healthy' | 'unhealthy';

/**
 * The state of a target by its checks. It starts as `initial`, which is treated as healthy because the registry reports
 * the target ready; one successful check then makes it `healthy`. Uses no clock and no I/O.
 */
export class HealthStatus {
  state: HealthState = 'initial';
  /** Result of the last check; empty before the first. */
  detail = '';
  /** Checks in a row that contradict the state. */
  #contrary = 0;
  #thresholds: HealthThresholds;

  constructor(thresholds: HealthThresholds) {
    this.#thresholds = thresholds;
  }

  /** Other thresholds from the next check on; the state stays. */
  configure(thresholds: HealthThresholds): void {
    this.#thresholds = thresholds;
  }

  /** It is not checked any more. */
  forget(): void {
    this.state = 'initial';
    this.detail = '';
    this.#contrary = 0;
  }

  /** What checks elsewhere have found. @returns whether the state changed. */
  show(state: HealthState, detail: string): boolean {
    const hasChanged = state !== this.state;
    this.state = state;
    this.detail = detail;
    this.#contrary = 0;
    return hasChanged;
  }

  /** @returns whether the state changed. */
  record(isGood: boolean, detail: string): boolean {
    this.detail = detail;
    if (isGood === (this.state !== 'unhealthy')) {
      this.#contrary = 0;
      if (this.state !== 'initial') return false;
      this.state = 'healthy';
      return true;
    }
    this.#contrary++;
    const { healthyThreshold, unhealthyThreshold } = this.#thresholds;
    if (this.#contrary < (isGood ? healthyThreshold : unhealthyThreshold)) return false;
    this.#contrary = 0;
    this.state = isGood ? 'healthy' : 'unhealthy';
    return true;
  }
}
