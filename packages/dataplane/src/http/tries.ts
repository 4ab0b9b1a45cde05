import type { NoTarget, RetryRule, Target, TargetClient, TargetGroup } from '../model/target.ts';
import type { AttemptFailure } from './attempt-failure.ts';
import type { ExchangeServices } from './exchange-services.ts';
import { Replay } from './replay.ts';

/** The targets tried for one request, and the rules for trying another one. Reused for each request. */
export class Tries {
  readonly replay = new Replay();
  readonly #failed: Target[] = [];
  readonly #services: ExchangeServices;
  #group: TargetGroup | undefined;
  #client: TargetClient | undefined;

  constructor(services: ExchangeServices) {
    this.#services = services;
  }

  reset(group: TargetGroup, client: TargetClient | undefined): void {
    this.#group = group;
    this.#client = client;
    // Setting a length takes longer than looking at it.
    if (this.#failed.length > 0) this.#failed.length = 0;
    this.#services.budget.deposit();
  }

  /** A target that has not failed yet, from the group's current snapshot. */
  next(): Target | undefined {
    return this.#group!.snapshot().pick(this.#failed, this.#client);
  }

  explainNone(): NoTarget {
    return this.#group!.snapshot().explainNone();
  }

  markFailed(target: Target): void {
    this.#failed.push(target);
  }

  /** Whether another target may be tried after this failure. `isSafe`: see `mayRepeat`. */
  mayGoOn({ outcome, isWorthRepeating }: AttemptFailure, isSafe: boolean): boolean {
    if (this.#failed.length >= this.#services.limits.attempts) return false;
    // No byte was sent, so any method may go to another target.
    if (outcome === 'connect_failed' || outcome === 'not_tried') return true;
    return isWorthRepeating && this.mayRepeat(isSafe);
  }

  /** Whether another target may be tried instead of passing on an answer. */
  mayReplace({ attempts }: RetryRule, isSafe: boolean): boolean {
    if (this.#failed.length >= (attempts ?? this.#services.limits.attempts)) return false;
    return this.mayRepeat(isSafe);
  }

  /**
   * Bytes may have reached a target: the request is sent again only if that is safe (it is idempotent, and nothing of a
   * response was forwarded), its bytes are still available and the budget allows it.
   */
  mayRepeat(isSafe: boolean): boolean {
    if (!isSafe || !this.replay.isComplete) return false;
    const { budget, clock, counters } = this.#services;
    if (budget.tryWithdraw(clock.monotonicMs())) return true;
    counters.retriesDenied++;
    return false;
  }
}
