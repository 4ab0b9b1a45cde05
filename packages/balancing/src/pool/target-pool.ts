import type { Endpoint } from '@rollcall/contract';
import type { Random } from '../order/order.ts';
import type { PickContext, Picker } from '../order/picker.ts';
import type { Policy } from '../order/policy.ts';
import { createPicker } from '../picker/leveled-picker.ts';
import { Ejection, type EjectionOptions, type FailureKind } from './ejection.ts';
import { farTargets, type ZonePreference } from './near-zone.ts';
import { explainPool, type PoolExplanation } from './pool-explanation.ts';
import type { PoolState } from './pool-state.ts';
import type { PoolTarget } from './pool-target.ts';
import { SlowStart } from './slow-start.ts';
import { type SuccessRateOptions, SuccessRates } from './success-rates.ts';
import { usable } from './usable.ts';

type PoolEjectionOptions = Omit<EjectionOptions, 'random'> & {
  /** Whether a response of 500 or above counts as a failed call. @default true */
  readonly serverErrors?: boolean;
  /**
   * Ejects targets whose share of good answers is far below that of the others. For owners that report every answer.
   * @default only failures in a row eject
   */
  readonly successRate?: SuccessRateOptions | undefined;
};

/** What may be changed while a pool is in use. */
export interface PoolSettings {
  readonly ejection: PoolEjectionOptions;
  /**
   * How long the weight of a target grows, from a tenth to the whole, after it has become usable while others were, in
   * ms. Policies that ignore weights ignore it. @default 0: at once
   */
  readonly slowStartMs?: number | undefined;
  /** All targets are used when the share of fit ones is below this, 0..1. @default 0: when none is fit */
  readonly failOpenBelow?: number | undefined;
  /** Targets of this zone come first. @default zones do not matter */
  readonly nearZone?: ZonePreference | undefined;
}

export interface TargetPoolOptions<T extends PoolTarget> extends PoolSettings {
  readonly create: (endpoint: Endpoint) => T;
  /** Monotonic, in ms. */
  readonly nowMs: () => number;
  readonly random: Random;
  /** The owner's own condition, e.g. a health check; when too few are fit, all are used. @default all are fit */
  readonly isFit?: (target: T) => boolean;
  /** Whether a target must be replaced although its endpoint is unchanged. @default never */
  readonly isDone?: (target: T, endpoint: Endpoint) => boolean;
}

interface Mix<T> {
  readonly policy: Policy;
  readonly entries: readonly {
    readonly target: T;
    readonly weight: number;
    readonly tier: number;
    readonly isFar: boolean;
  }[];
}

/**
 * Decides which targets may take a call and which takes the next one: from the current endpoints, their conditions,
 * their fitness, the ejection of failing ones, and a policy. The client, the balancer and the proxy build on it; the
 * owner reports endpoints and outcomes to it.
 */
export class TargetPool<T extends PoolTarget> {
  readonly #options: TargetPoolOptions<T>;
  readonly #ejection: Ejection;
  #serverErrors: boolean;
  readonly #targets = new Map<string, T>();
  #policy: Policy;
  #failOpenBelow: number;
  #nearZone: ZonePreference | undefined;
  #state: PoolState<T> | undefined;
  #picker: Picker<T> | undefined;
  /** The inputs that the picker was built from. */
  #mix: Mix<T> | undefined;
  readonly #slowStart: SlowStart<T>;
  #rates: SuccessRates<T> | undefined;
  /** When the state differs next without anything being reported. */
  #nextRebuildMs = Infinity;
  #ejections = 0;

  constructor(policy: Policy, options: TargetPoolOptions<T>) {
    this.#policy = policy;
    this.#options = options;
    this.#ejection = new Ejection({ ...options.ejection, random: options.random });
    this.#serverErrors = options.ejection.serverErrors ?? true;
    this.#slowStart = new SlowStart(options.slowStartMs ?? 0);
    this.#failOpenBelow = options.failOpenBelow ?? 0;
    this.#nearZone = options.nearZone;
    this.#compare(options.ejection.successRate);
  }

  /** Other rules from now on; what is known of the targets stays. */
  configure(policy: Policy, settings: PoolSettings): void {
    const { ejection, slowStartMs, failOpenBelow, nearZone } = settings;
    this.#policy = policy;
    this.#slowStart.durationMs = slowStartMs ?? 0;
    this.#failOpenBelow = failOpenBelow ?? 0;
    this.#nearZone = nearZone;
    this.#compare(ejection.successRate);
    this.#ejection.configure({ ...ejection, random: this.#options.random });
    this.#serverErrors = ejection.serverErrors ?? true;
    this.#state = undefined;
  }

  /** Number of ejections so far. */
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

  /** Sets the endpoints and the policy from now on. @returns the targets that have left. */
  setEndpoints(endpoints: readonly Endpoint[], policy: Policy = this.#policy): readonly T[] {
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

  /** Call it when the result of `isFit` may have changed. */
  invalidate(): void {
    this.#state = undefined;
  }

  /** The current state. There is no timer: ejections end at the first query after their time is over. */
  state(): PoolState<T> {
    const known = this.#state;
    return known === undefined || this.isRebuildDue() ? (this.#state = this.#build()) : known;
  }

  /** Whether an ejection has ended, a weight is to grow, or rates are to be compared, since the last state. */
  isRebuildDue(): boolean {
    return this.#nextRebuildMs !== Infinity && this.#options.nowMs() >= this.#nextRebuildMs;
  }

  /** The next target; undefined when there is none. Allocates nothing while nothing changes. */
  pick(context?: PickContext<T>): T | undefined {
    const result = this.state().picker.pick(context);
    return result.kind === 'picked' ? result.target : undefined;
  }

  isEjected({ id }: T): boolean {
    return this.#ejection.isEjected(id, this.#options.nowMs());
  }

  /** A call got a response with this status. @returns whether this ejected the target. */
  answered(target: T, statusCode: number): boolean {
    if (statusCode >= 500 && this.#serverErrors) return this.failed(target, 'call', statusCode);
    if (this.#rates !== undefined) target.windowCalls++;
    if (target.hasFailed) this.succeeded(target);
    return false;
  }

  succeeded(target: T): void {
    target.hasFailed = false;
    if (this.#has(target)) this.#ejection.succeeded(target.id);
  }

  /** `why`: a status, or what went wrong. @returns whether this ejected the target for a while. */
  failed(target: T, kind: FailureKind, why?: number | string): boolean {
    target.hasFailed = true;
    target.lastFailure = why;
    if (this.#rates !== undefined) {
      target.windowCalls++;
      target.windowFailures++;
    }
    if (!this.#has(target)) return false;
    if (!this.#ejection.failed(target.id, kind, this.#options.nowMs())) return false;
    this.#ejections++;
    this.#state = undefined;
    return true;
  }

  /** Why each target may be picked now, or not, and which one a pick would return. It takes nobody's turn. */
  explain(admit?: (target: T) => boolean): PoolExplanation<T> {
    const nowMs = this.#options.nowMs();
    return explainPool(this.#targets.values(), this.state(), {
      policy: this.#policy,
      admit,
      ejectionOf: ({ id }) => this.#ejection.ejectionOf(id, nowMs),
    });
  }

  /** A result of a target that has left says nothing about its replacement. */
  #has(target: T): boolean {
    return this.#targets.get(target.id) === target;
  }

  #build(): PoolState<T> {
    const { nowMs, isFit } = this.#options;
    const now = nowMs();
    this.#ejectOutliers(now);
    const inUse = usable(this.#targets.values());
    const fit = isFit === undefined ? inUse : inUse.filter(isFit);
    const isTooFew = fit.length === 0 || fit.length < inUse.length * this.#failOpenBelow;
    const isFailOpen = isTooFew && inUse.length > 0;
    const admitted = this.#ejection.admitted(isFailOpen ? inUse : fit, now);
    const good = isFailOpen ? fit : admitted;
    this.#slowStart.weigh(this.#targets, good, now);
    const far = farTargets(this.#nearZone, inUse, good);
    this.#nextRebuildMs = Math.min(
      this.#ejection.nextReturnMs(now),
      this.#slowStart.nextStepMs,
      this.#rates?.endMs ?? Infinity,
    );
    return { picker: this.#pickerOf(admitted, far), usable: inUse, isFailOpen, far };
  }

  #ejectOutliers(nowMs: number): void {
    if (this.#rates === undefined || nowMs < this.#rates.endMs) return;
    for (const { id } of this.#rates.endWindow(this.#targets.values(), nowMs))
      if (this.#ejection.eject(id, nowMs)) this.#ejections++;
  }

  #compare(options: SuccessRateOptions | undefined): void {
    if (options === undefined) this.#rates = undefined;
    else if (this.#rates === undefined)
      this.#rates = new SuccessRates(options, this.#options.nowMs());
    else this.#rates.configure(options);
  }

  /** Keeps the picker when nothing relevant changed, and with it the turn order. */
  #pickerOf(admitted: readonly T[], far: ReadonlySet<T>): Picker<T> {
    const isFar = (target: T): boolean => far.has(target);
    const entries = admitted.map((target) => {
      const { weight, tier } = target;
      return { target, weight, tier, isFar: isFar(target) };
    });
    const mix = { policy: this.#policy, entries };
    if (this.#picker !== undefined && isSameMix(this.#mix, mix)) return this.#picker;
    this.#mix = mix;
    const { random } = this.#options;
    return (this.#picker = createPicker(this.#policy, admitted, { random, isFar }));
  }
}

function isSameMix<T extends PoolTarget>(before: Mix<T> | undefined, after: Mix<T>): boolean {
  return (
    before?.policy === after.policy &&
    before.entries.length === after.entries.length &&
    before.entries.every((entry, at) => {
      const { target, weight, tier, isFar } = after.entries[at]!;
      return (
        entry.target === target &&
        entry.weight === weight &&
        entry.tier === tier &&
        entry.isFar === isFar
      );
    })
  );
}
