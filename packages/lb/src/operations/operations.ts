import type { Endpoint } from '@rollcall/client-sdk';
import type { Tell } from '@rollcall/daemon';
import type { Clock } from '@rollcall/runtime';

/** A target that an operator has taken out of its group. */
export interface Drain {
  readonly group: string;
  /** Id of the target. */
  readonly target: string;
  /** Unix time, in ms. */
  readonly sinceMs: number;
  /** It gets no requests, even if no other target is left. */
  readonly isForced: boolean;
}

/** A zone that gets no requests for a while. */
export interface ZoneShift {
  readonly zone: string;
  /** Unix time, in ms. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** It gets no requests, even if no other target of a group is left. */
  readonly isForced: boolean;
}

/** What operators have asked for, as plain data. */
export interface OperationsState {
  readonly drains: readonly Drain[];
  readonly shifts: readonly ZoneShift[];
}

/** Maximum number of drains and shifts: more than somebody asks for by hand. */
const MOST = 200;

export interface OperationsParts {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Tell;
  /** What was asked for before this process. @default nothing */
  readonly state?: OperationsState | undefined;
  /** Called after each change, so that the next process can start with the same state. */
  readonly onState?: ((state: OperationsState) => void) | undefined;
}

/**
 * Knows what operators have taken out of use: targets, until they are put back, and zones, for a time. It outlives
 * changes of the configuration, and holds for targets that register again.
 */
export class Operations {
  readonly #parts: OperationsParts;
  readonly #drains = new Map<string, Drain>();
  readonly #shifts = new Map<string, ZoneShift>();
  readonly #listeners = new Set<() => void>();

  constructor(parts: OperationsParts) {
    this.#parts = parts;
    for (const drain of parts.state?.drains ?? []) this.#drains.set(keyOf(drain), drain);
    for (const shift of parts.state?.shifts ?? []) this.#shifts.set(shift.zone, shift);
  }

  get state(): OperationsState {
    return { drains: [...this.#drains.values()], shifts: [...this.#shifts.values()] };
  }

  /** Whether no more can be asked for. */
  get isFull(): boolean {
    return this.#drains.size + this.#shifts.size >= MOST;
  }

  drain(group: string, target: string, isForced: boolean): void {
    const drain = { group, target, sinceMs: this.#parts.clock.wallMs(), isForced };
    this.#drains.set(keyOf(drain), drain);
    this.#changed(`target group ${group}: ${target} is drained by an operator`);
  }

  /** @returns whether it was drained. */
  undrain(group: string, target: string): boolean {
    if (!this.#drains.delete(keyOf({ group, target }))) return false;
    this.#changed(`target group ${group}: ${target} is not drained any more`);
    return true;
  }

  shift(zone: string, lengthMs: number, isForced: boolean): ZoneShift {
    const sinceMs = this.#parts.clock.wallMs();
    const shift = { zone, sinceMs, untilMs: sinceMs + lengthMs, isForced };
    this.#shifts.set(zone, shift);
    this.#changed(`zone ${zone} gets no requests until ${timeOf(shift.untilMs)}`);
    return shift;
  }

  /** @returns whether it was shifted away. */
  unshift(zone: string): boolean {
    if (!this.#shifts.delete(zone)) return false;
    this.#changed(`zone ${zone} gets requests again`);
    return true;
  }

  /** Ends what is over. Must be called several times per second. */
  tick(): void {
    const nowMs = this.#parts.clock.wallMs();
    for (const { zone, untilMs } of this.#shifts.values()) if (nowMs >= untilMs) this.unshift(zone);
  }

  /** Calls the listener after each change. Returns a function that unsubscribes. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The endpoints of a group, with those that are out of use as draining ones. The same list if there are none. */
  apply(group: string, endpoints: readonly Endpoint[]): readonly Endpoint[] {
    if (this.#drains.size + this.#shifts.size === 0) return endpoints;
    let hasAny = false;
    const applied = endpoints.map((endpoint) => {
      const why = this.#reasonFor(group, endpoint);
      if (why === undefined) return endpoint;
      hasAny = true;
      return outOfUse(endpoint, why);
    });
    return hasAny ? applied : endpoints;
  }

  #reasonFor(group: string, { id, zone }: Endpoint): Reason | undefined {
    const drain = this.#drains.get(keyOf({ group, target: id }));
    if (drain !== undefined) return { text: 'drained by an operator', isForced: drain.isForced };
    const shift = this.#shifts.get(zone);
    if (shift === undefined) return undefined;
    const text = `zone ${zone} gets no requests until ${timeOf(shift.untilMs)}`;
    return { text, isForced: shift.isForced };
  }

  #changed(message: string): void {
    const { log, onState } = this.#parts;
    log(message);
    onState?.(this.state);
    for (const listener of this.#listeners) listener();
  }
}

interface Reason {
  readonly text: string;
  readonly isForced: boolean;
}

/** The endpoint as it would be if the instance itself had begun to drain. */
function outOfUse(endpoint: Endpoint, { text: reason, isForced }: Reason): Endpoint {
  return {
    ...endpoint,
    state: 'draining',
    reason,
    ready: false,
    serving: endpoint.serving && !isForced,
    terminating: true,
    tier: null,
  };
}

const keyOf = ({ group, target }: Pick<Drain, 'group' | 'target'>): string => `${group} ${target}`;

/** To the second. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
