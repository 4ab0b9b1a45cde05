import type { Endpoint } from '@rollcall/contract';
import { type PoolRules, PoolSnapshot } from './pool-snapshot.ts';
import type { PoolTarget } from './pool-target.ts';
import type { PoolState } from './pool-state.ts';
import { TargetPool, type TargetPoolOptions } from './target-pool.ts';

export interface PortPoolOptions<T extends PoolTarget> extends TargetPoolOptions<T> {
  /** Name for messages. */
  readonly name: string;
}

/**
 * The endpoints of one port of a declared service, for spreading connections: a {@link TargetPool} with client affinity
 * and with the schedulers that hash the client or the destination.
 */
export class PortPool<T extends PoolTarget> {
  readonly name: string;
  readonly #pool: TargetPool<T>;
  readonly #nowMs: () => number;
  #rules: PoolRules;
  /** The state that the snapshot was built from. */
  #state: PoolState<T>;
  #snapshot: PoolSnapshot<T>;

  constructor(rules: PoolRules, options: PortPoolOptions<T>) {
    this.name = options.name;
    this.#nowMs = options.nowMs;
    this.#rules = rules;
    this.#pool = new TargetPool(rules.scheduler, options);
    this.#state = this.#pool.state();
    this.#snapshot = this.#snapshotOf(this.#state);
  }

  /** Sets the endpoints and the rules from now on. @returns the targets that have left. */
  setEndpoints(endpoints: readonly Endpoint[], rules: PoolRules): readonly T[] {
    this.#rules = rules;
    return this.#pool.setEndpoints(endpoints, rules.scheduler);
  }

  snapshot(): PoolSnapshot<T> {
    const state = this.#pool.state();
    if (state === this.#state) return this.#snapshot;
    this.#state = state;
    return (this.#snapshot = this.#snapshotOf(state));
  }

  targets(): Iterable<T> {
    return this.#pool.targets();
  }

  isEjected(target: T): boolean {
    return this.#pool.isEjected(target);
  }

  /** A connect failed: the target is ejected for a while. */
  connectFailed(target: T): void {
    this.#pool.failed(target, 'connect');
  }

  connected(target: T): void {
    if (target.hasFailed) this.#pool.succeeded(target);
  }

  #snapshotOf({ picker, usable }: PoolState<T>): PoolSnapshot<T> {
    const explain = () => this.#explain();
    return new PoolSnapshot<T>({ picker, rules: this.#rules, usable, nowMs: this.#nowMs, explain });
  }

  #explain(): string {
    const known = this.#pool.size;
    return known === 0
      ? `${this.name} has no endpoints`
      : `none of the ${known} endpoints of ${this.name} takes new connections`;
  }
}
