import type { Affinity } from './affinity.ts';
import { hashOf } from '../order/hash.ts';
import type { Picker } from '../order/picker.ts';
import type { Policy } from '../order/policy.ts';
import type { PoolTarget } from './pool-target.ts';

/** The client that asks for a connection. */
export interface Caller {
  readonly clientAddress: string;
}

/** How a pool chooses a target. */
export interface PoolRules {
  readonly scheduler: Policy;
  /** Bonds of clients to endpoints, shared by the pools of a service; undefined = no affinity. */
  readonly affinity: Affinity | undefined;
  /** What the scheduler `dh` hashes, so that one destination goes to one endpoint. */
  readonly destination: string;
}

export interface SnapshotParts<T extends PoolTarget> {
  readonly picker: Picker<T>;
  readonly rules: PoolRules;
  /** All targets on which existing connections may stay, including ejected ones. */
  readonly usable: readonly T[];
  readonly nowMs: () => number;
  /** Explains in words why no target can be picked. */
  readonly explain: () => string;
}

/** The targets and rules of a pool at one moment. The bonds of clients are shared with its successor. */
export class PoolSnapshot<T extends PoolTarget> {
  readonly #parts: SnapshotParts<T>;
  readonly #usable: ReadonlySet<unknown>;
  readonly #hash: number;
  /** Targets that a bond may lead to: the picker's candidates of the best available tier, by id and by instance. */
  readonly #bondableById = new Map<string, T>();
  readonly #bondableByInstance = new Map<string, T>();

  constructor(parts: SnapshotParts<T>) {
    this.#parts = parts;
    this.#usable = new Set(parts.usable);
    this.#hash = hashOf(parts.rules.destination);
    if (parts.rules.affinity !== undefined) this.#indexBondable(parts.picker.candidates);
  }

  /** A target that is not in `tried`, or undefined when none is left. The caller's bond has priority. */
  pick(tried: readonly unknown[], caller?: Caller): T | undefined {
    const { affinity } = this.#parts.rules;
    if (affinity === undefined || caller === undefined) return this.#schedule(tried, caller);
    const nowMs = this.#parts.nowMs();
    const bond = affinity.renewBond(caller.clientAddress, nowMs);
    const bound =
      bond && (this.#bondableById.get(bond.id) ?? this.#bondableByInstance.get(bond.instance));
    if (bound !== undefined && !tried.includes(bound)) return bound;
    const picked = this.#schedule(tried, caller);
    if (picked !== undefined) affinity.pin(caller.clientAddress, picked, nowMs);
    return picked;
  }

  /** Whether existing connections to this target may stay. */
  holds(member: unknown): boolean {
    return this.#usable.has(member);
  }

  explainNone(): { code: string; detail: string } {
    return { code: 'no_endpoints', detail: this.#parts.explain() };
  }

  #schedule(tried: readonly unknown[], caller: Caller | undefined): T | undefined {
    const { picker } = this.#parts;
    const hash = this.#hashOf(caller);
    const admit = tried.length === 0 ? undefined : (member: T) => !tried.includes(member);
    const result =
      hash === undefined && admit === undefined ? picker.pick() : picker.pick({ admit, hash });
    return result.kind === 'picked' ? result.target : undefined;
  }

  #hashOf(caller: Caller | undefined): number | undefined {
    const { scheduler } = this.#parts.rules;
    if (scheduler === 'dh') return this.#hash;
    return scheduler === 'sh' && caller !== undefined ? hashOf(caller.clientAddress) : undefined;
  }

  #indexBondable(admitted: readonly T[]): void {
    const best = admitted.some(({ tier }) => tier === 0) ? 0 : 1;
    for (const member of admitted) {
      if (member.tier !== best) continue;
      this.#bondableById.set(member.id, member);
      if (!this.#bondableByInstance.has(member.instance))
        this.#bondableByInstance.set(member.instance, member);
    }
  }
}
