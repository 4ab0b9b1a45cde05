import type { Picker } from '@rollcall/balancing';
import type { NoTarget, Target, TargetClient, TargetSnapshot } from '@rollcall/dataplane';
import type { GroupTarget } from './group-target.ts';

/** The state of a group at one moment, as the data plane reads it. */
export class GroupSnapshot implements TargetSnapshot {
  readonly picker: Picker<GroupTarget>;
  readonly #most: number;
  readonly #explain: () => NoTarget;

  /** `most`: requests that a target may have at the same time; Infinity: any number. */
  constructor(picker: Picker<GroupTarget>, most: number, explain: () => NoTarget) {
    this.picker = picker;
    this.#most = most;
    this.#explain = explain;
    Object.freeze(this);
  }

  get isEmpty(): boolean {
    return this.picker.candidates.length === 0;
  }

  pick(tried: readonly Target[], client?: TargetClient): GroupTarget | undefined {
    if (client?.stickyTarget !== undefined) {
      const again = this.picker.candidates.find(({ id }) => id === client.stickyTarget);
      if (again !== undefined && this.#mayTake(again, tried)) return again;
    }
    const hash = client?.hash;
    const picked =
      tried.length === 0 && this.#most === Infinity
        ? this.picker.pick(hash === undefined ? undefined : { hash })
        : this.picker.pick({ admit: (target) => this.#mayTake(target, tried), hash });
    return picked.kind === 'picked' ? picked.target : undefined;
  }

  #mayTake(target: GroupTarget, tried: readonly Target[]): boolean {
    return target.inFlight < this.#most && !tried.includes(target);
  }

  explainNone(): NoTarget {
    return this.#explain();
  }
}
