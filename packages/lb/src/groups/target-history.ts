import type { TargetChange } from './target-change.ts';

/** Changes that are kept of each target, and targets that are kept of each group. */
export const KEPT_CHANGES = 20;
const KEPT_TARGETS = 500;

/** What has happened to targets: of each the last changes, also of those that have left. */
export class TargetHistory {
  /** By group, then by id of the target: those that changed last come last. */
  readonly #groups = new Map<string, Map<string, readonly TargetChange[]>>();

  add(group: string, target: string, change: TargetChange): void {
    let targets = this.#groups.get(group);
    if (targets === undefined) {
      targets = new Map();
      this.#groups.set(group, targets);
    }
    const before = targets.get(target) ?? [];
    targets.delete(target);
    targets.set(target, [...before, change].slice(-KEPT_CHANGES));
    const [oldest] = targets.keys();
    if (targets.size > KEPT_TARGETS && oldest !== undefined) targets.delete(oldest);
  }

  /** Forgets all groups but these. */
  retain(groups: ReadonlySet<string>): void {
    for (const name of this.#groups.keys()) if (!groups.has(name)) this.#groups.delete(name);
  }

  /** The changes of each target of a group, the last one last. */
  of(group: string): ReadonlyMap<string, readonly TargetChange[]> {
    return this.#groups.get(group) ?? new Map();
  }
}
