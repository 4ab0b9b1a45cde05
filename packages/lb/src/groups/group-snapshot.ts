import type { Picker } from '@rollcall/balancing';
import type { NoTarget, Target, TargetSnapshot } from '@rollcall/dataplane';
import type { GroupTarget } from './group-target.ts';

/** The state of a group at one moment, as the data plane reads it. */
export class GroupSnapshot implements TargetSnapshot {
  readonly picker: Picker<GroupTarget>;
  readonly #explain: () => NoTarget;

  constructor(picker: Picker<GroupTarget>, explain: () => NoTarget) {
    this.picker = picker;
    this.#explain = explain;
    Object.freeze(this);
  }

  get isEmpty(): boolean {
    return this.picker.candidates.length === 0;
  }

  pick(tried: readonly Target[]): GroupTarget | undefined {
    const picked =
      tried.length === 0
        ? this.picker.pick()
        : this.picker.pick({ admit: (target) => !tried.includes(target) });
    return picked.kind === 'picked' ? picked.target : undefined;
  }

  explainNone(): NoTarget {
    return this.#explain();
  }
}
