import type { Affinity } from './affinity.ts';
import { hashOf } from '../order/hash.ts';
import type { Picker } from '../order/picker.ts';
import type { Policy } from '../order/policy.ts';
import type { PoolTarget } from './pool-target.ts';

/** Who asks for a connection. */
export interface Caller {
  readonly clientAddress: string;
}

/** How a pool chooses. */
export interface PoolRules {
  readonly scheduler: Policy;
  /** Bonds of clients to endpoints, shared by the pools of a service; undefined = none. */
  readonly affinity: Affinity | undefined;
  /** What the scheduler `dh` hashes: one destination, one endpoint. */
  readonly destination: string;
}

export interface SnapshotParts<T extends PoolTarget> {
  readonly picker: Picker<T>;
  readonly rules: PoolRules;
  /** All that connections may stay on, ejected ones among them. */
  readonly usable: readonly T[];
  readonly nowMs: () => number;
  /** Why nobody can be picked, for people. */
  readonly explain: () => string;
}

/** One moment of a pool; replaced whole. Only the bonds of clients change under it. */
export class PoolSnapshot<T extends PoolTarget> {
  readonly #parts: SnapshotParts<T>;
  readonly #usable: ReadonlySet<unknown>;
  readonly #hash: number;
  /** Those that a bond may lead to, by id and by instance: admitted, and of the best tier that is left. */
  readonly #bondable = new Map<string, T>();
  readonly #byInstance = new Map<string, T>();

  constructor(parts: SnapshotParts<T>) {
    this.#parts = parts;
    this.#usable = new Set(parts.usable);
    this.#hash = hashOf(parts.rules.destination);
    if (parts.rules.affinity !== undefined) this.#indexBondable(parts.picker.candidates);
  }

  /** One that is not among `tried`, or undefined when there is none left. The bond of the caller comes first. */
  pick(tried: readonly unknown[], caller?: Caller): T | undefined {
    const { affinity } = this.#parts.rules;
    if (affinity === undefined || caller === undefined) return this.#schedule(tried, caller);
    const nowMs = this.#parts.nowMs();
    const bond = affinity.renew(caller.clientAddress, nowMs);
    const bound = bond && (this.#bondable.get(bond.id) ?? this.#byInstance.get(bond.instance));
    if (bound !== undefined && !tried.includes(bound)) return bound;
    const picked = this.#schedule(tried, caller);
    if (picked !== undefined) affinity.bind(caller.clientAddress, picked, nowMs);
    return picked;
  }

  /** Whether what is under way on it may go on there. */
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
      this.#bondable.set(member.id, member);
      if (!this.#byInstance.has(member.instance)) this.#byInstance.set(member.instance, member);
    }
  }
}
