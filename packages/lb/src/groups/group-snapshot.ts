import type { Picker } from '@rollcall/balancing';
import type { NoTarget, Target, TargetClient, TargetSnapshot } from '@rollcall/dataplane';
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

  pick(tried: readonly Target[], client?: TargetClient): GroupTarget | undefined {
    if (client?.stickyTarget !== undefined) {
      const again = this.picker.candidates.find(({ id }) => id === client.stickyTarget);
      if (again !== undefined && !tried.includes(again)) return again;
    }
    const hash = client?.hash;
    const picked =
      tried.length === 0
        ? this.picker.pick(hash === undefined ? undefined : { hash })
        : this.picker.pick({ admit: (target) => !tried.includes(target), hash });
    return picked.kind === 'picked' ? picked.target : undefined;
  }

  explainNone(): NoTarget {
    return this.#explain();
  }
}
