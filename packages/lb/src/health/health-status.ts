export interface HealthThresholds {
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
}

export type HealthState = 'initial' | 'healthy' | 'unhealthy';

/**
 * The result of a target's checks. A target starts as `initial`, which counts as healthy because the registry says that
 * it is ready; its first successful check confirms that. Pure: no clock, no I/O.
 */
export class HealthStatus {
  state: HealthState = 'initial';
  /** Result of the last check; empty before the first. */
  detail = '';
  #inARow = 0;
  readonly #thresholds: HealthThresholds;

  constructor(thresholds: HealthThresholds) {
    this.#thresholds = thresholds;
  }

  /** @returns whether the state changed. */
  record(isGood: boolean, detail: string): boolean {
    this.detail = detail;
    if (isGood === (this.state !== 'unhealthy')) {
      this.#inARow = 0;
      if (this.state !== 'initial') return false;
      this.state = 'healthy';
      return true;
    }
    this.#inARow++;
    const { healthyThreshold, unhealthyThreshold } = this.#thresholds;
    if (this.#inARow < (isGood ? healthyThreshold : unhealthyThreshold)) return false;
    this.#inARow = 0;
    this.state = isGood ? 'healthy' : 'unhealthy';
    return true;
  }
}
