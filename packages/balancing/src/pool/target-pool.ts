import type { Endpoint } from '@rollcall/contract';
import type { Random } from '../order/order.ts';
import type { PickContext, Picker } from '../order/picker.ts';
import type { Policy } from '../order/policy.ts';
import { createPicker } from '../picker/leveled-picker.ts';
import { Ejection, type EjectionOptions, type FailureKind } from './ejection.ts';
import type { PoolTarget } from './pool-target.ts';
import { usable } from './usable.ts';

export interface TargetPoolOptions<T extends PoolTarget> {
  readonly create: (endpoint: Endpoint) => T;
  readonly ejection: Omit<EjectionOptions, 'random'> & {
    /** Whether an answer of 500 or above counts as a failed call. @default true */
    readonly serverErrors?: boolean;
  };
  /** Monotonic, in ms. */
  readonly nowMs: () => number;
  readonly random: Random;
  /** For reasons of the owner's own, a failing check for one; when nobody is fit all are used. @default everybody is */
  readonly isFit?: (target: T) => boolean;
  /** Whether a target is done with although its endpoint is where it was. @default never */
  readonly isDone?: (target: T, endpoint: Endpoint) => boolean;
}

/** One moment of a pool; replaced whole when anything but counts of use changes. */
export interface PoolState<T extends PoolTarget> {
  /** Over those that are admitted. The same one as before when who is admitted has not changed. */
  readonly picker: Picker<T>;
  /** All that calls may go to, ejected and unfit ones among them. */
  readonly usable: readonly T[];
  /** Nobody is fit, so all are used. */
  readonly isFailOpen: boolean;
}

interface Mix<T> {
  readonly policy: Policy;
  readonly entries: readonly {
    readonly target: T;
    readonly weight: number;
    readonly tier: number;
  }[];
}

/**
 * Who may take a call, and who takes the next one: the endpoints that there are, admission by their conditions, fitness,
 * the ejection of those that fail, and a policy. The client, the balancer and the proxy stand on it; whoever owns it
 * tells it of endpoints and outcomes.
 */
export class TargetPool<T extends PoolTarget> {
  readonly #options: TargetPoolOptions<T>;
  readonly #ejection: Ejection;
  readonly #targets = new Map<string, T>();
  #policy: Policy;
  #state: PoolState<T> | undefined;
  #picker: Picker<T> | undefined;
  /** What the picker was made of. */
  #mix: Mix<T> | undefined;
  #nextReturnMs = Infinity;
  #ejections = 0;

  constructor(policy: Policy, options: TargetPoolOptions<T>) {
    this.#policy = policy;
    this.#options = options;
    this.#ejection = new Ejection({ ...options.ejection, random: options.random });
  }

  /** How often a target was ejected. */
  get ejections(): number {
    return this.#ejections;
  }

  get size(): number {
    return this.#targets.size;
  }

  targets(): Iterable<T> {
    return this.#targets.values();
  }

  get(id: string): T | undefined {
    return this.#targets.get(id);
  }

  /** The endpoints that there are, and how to choose from now on. @returns the targets that have left. */
  take(endpoints: readonly Endpoint[], policy: Policy = this.#policy): readonly T[] {
    const gone = new Map(this.#targets);
    const same = new Set<string>();
    for (const endpoint of endpoints) {
      const known = this.#targets.get(endpoint.id);
      if (known?.isAt(endpoint) === true && this.#options.isDone?.(known, endpoint) !== true) {
        known.update(endpoint);
        same.add(endpoint.id);
        gone.delete(endpoint.id);
      } else this.#targets.set(endpoint.id, this.#options.create(endpoint));
    }
    for (const [id, target] of gone) if (this.#targets.get(id) === target) this.#targets.delete(id);
    this.#ejection.retain(same);
    this.#policy = policy;
    this.#state = undefined;
    return [...gone.values()];
  }

  /** To be called when `isFit` may answer otherwise than before. */
  refresh(): void {
    this.#state = undefined;
  }

  /** The state of this moment. Ejections have no timer: they end when somebody asks after their time is over. */
  state(): PoolState<T> {
    const known = this.#state;
    return known === undefined || this.isReturnDue() ? (this.#state = this.#build()) : known;
  }

  /** Whether an ejection has ended since the last state. */
  isReturnDue(): boolean {
    return this.#nextReturnMs !== Infinity && this.#options.nowMs() >= this.#nextReturnMs;
  }

  /** The next one; undefined when there is none. Allocates nothing while nothing changes. */
  pick(context?: PickContext<T>): T | undefined {
    const result = this.state().picker.pick(context);
    return result.kind === 'picked' ? result.target : undefined;
  }

  isEjected({ id }: T): boolean {
    return this.#ejection.isEjected(id, this.#options.nowMs());
  }

  /** A call was answered, with this status. @returns whether that ejected the target. */
  answered(target: T, statusCode: number): boolean {
    if (statusCode >= 500 && this.#options.ejection.serverErrors !== false)
      return this.failed(target, 'call');
    if (target.hasFailed) this.succeeded(target);
    return false;
  }

  succeeded(target: T): void {
    target.hasFailed = false;
    if (this.#has(target)) this.#ejection.succeeded(target.id);
  }

  /** @returns whether that ejected the target: it is left out for a while. */
  failed(target: T, kind: FailureKind): boolean {
    target.hasFailed = true;
    if (!this.#has(target)) return false;
    if (!this.#ejection.failed(target.id, kind, this.#options.nowMs())) return false;
    this.#ejections++;
    this.#state = undefined;
    return true;
  }

  /** What is heard of one that has left says nothing about the one that took its place. */
  #has(target: T): boolean {
    return this.#targets.get(target.id) === target;
  }

  #build(): PoolState<T> {
    const { nowMs, isFit } = this.#options;
    const now = nowMs();
    const inUse = usable(this.#targets.values());
    const fit = isFit === undefined ? inUse : inUse.filter(isFit);
    const isFailOpen = fit.length === 0 && inUse.length > 0;
    const admitted = this.#ejection.admitted(isFailOpen ? inUse : fit, now);
    this.#nextReturnMs = this.#ejection.nextReturnMs(now);
    return { picker: this.#pickerOf(admitted), usable: inUse, isFailOpen };
  }

  /** What changes nothing keeps the picker, and with it whose turn it is. */
  #pickerOf(admitted: readonly T[]): Picker<T> {
    if (this.#picker !== undefined && isSameMix(this.#mix, this.#policy, admitted))
      return this.#picker;
    const entries = admitted.map((target) => {
      const { weight, tier } = target;
      return { target, weight, tier };
    });
    this.#mix = { policy: this.#policy, entries };
    return (this.#picker = createPicker(this.#policy, admitted, this.#options));
  }
}

function isSameMix<T extends PoolTarget>(
  mix: Mix<T> | undefined,
  policy: Policy,
  admitted: readonly T[],
): boolean {
  return (
    mix?.policy === policy &&
    mix.entries.length === admitted.length &&
    mix.entries.every((entry, at) => {
      const target = admitted[at]!;
      return (
        entry.target === target && entry.weight === target.weight && entry.tier === target.tier
      );
    })
  );
}
