/**
 * Keeps repeats from adding to an overload: each request earns a share of a repeat, each repeat costs one, and the purse
 * never holds more than the reserve. Connect failures are not charged, since the target got nothing to do.
 */
export class RetryBudget {
  #tokens: number;
  readonly #ratio: number;
  readonly #reserve: number;

  constructor(ratio: number, reserve: number) {
    this.#ratio = ratio;
    this.#reserve = reserve;
    this.#tokens = reserve;
  }

  earn(): void {
    if (this.#tokens < this.#reserve) this.#tokens += this.#ratio;
  }

  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
