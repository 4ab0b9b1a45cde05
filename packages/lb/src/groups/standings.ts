import type { Clock } from '@rollcall/runtime';
import type { GroupTarget, TargetState } from './group-target.ts';
import type { TargetChange } from './target-change.ts';
import { reasonOf } from './standing-reason.ts';

export interface StandingsParts {
  readonly clock: Clock;
  /** Called for each change of a target's state. */
  readonly log: (message: string, state: TargetState) => void;
  /** Called for everything that happens to a target. `before`: its last state. @default nobody is told */
  readonly note?:
    | ((group: string, target: GroupTarget, change: TargetChange, before: TargetState) => void)
    | undefined;
}

/** What the state of a target depends on, besides itself. */
export interface StandingsView {
  /** Those that get requests. */
  readonly inUse: ReadonlySet<GroupTarget>;
  /** Unhealthy targets are used too. */
  readonly isFailOpen: boolean;
  readonly isChecked: boolean;
  /** Those in other zones that are used after those of the balancer's zone. */
  readonly far: ReadonlySet<GroupTarget>;
}

/** Says of each target of a group in which state it is, why, and since when. */
export class Standings {
  /** Set when another group has taken its name: from then on that one notes what happens to targets. */
  isRetired = false;
  readonly #group: string;
  readonly #parts: StandingsParts;

  constructor(group: string, parts: StandingsParts) {
    this.#group = group;
    this.#parts = parts;
  }

  review(target: GroupTarget, view: StandingsView): void {
    const { inUse, isFailOpen } = view;
    const { endpoint, health } = target;
    if (endpoint.terminating) return;
    if (endpoint.tier === null) {
      this.set(target, 'unused', reasonOf(endpoint, `is ${endpoint.state}`));
    } else if (health.state === 'unhealthy') {
      const failOpen = isFailOpen ? `; used anyway, because ${causeOf(inUse)}` : '';
      this.set(target, 'unhealthy', `health check: ${health.detail}${failOpen}`);
    } else if (!inUse.has(target)) {
      this.set(target, 'ejected', 'attempts on it failed; it gets no requests for a while');
    } else {
      this.#setUsed(target, view);
    }
  }

  set(target: GroupTarget, state: TargetState, reason: string): void {
    const isSame = target.standing.state === state && target.standing.reason !== '';
    const since = isSame ? target.standing.since : new Date(this.#parts.clock.wallMs());
    if (!isSame) {
      const message = `target group ${this.#group}: ${target.id} is ${state}: ${reason}`;
      this.#parts.log(message, state);
      this.note(target, state, reason);
    }
    target.standing = Object.freeze({ state, reason, since });
  }

  note(target: GroupTarget, event: TargetChange['event'], reason: string): void {
    if (this.isRetired) return;
    const { clock, note } = this.#parts;
    const atMs = clock.wallMs();
    note?.(this.#group, target, { atMs, event, reason }, target.standing.state);
  }

  #setUsed(target: GroupTarget, { isChecked, far }: StandingsView): void {
    const { endpoint, health, startTenths } = target;
    const share = startTenths < 10 ? `; slow start: ${startTenths}0 % of its weight` : '';
    const zone = far.has(target)
      ? '; in another zone, used when the nearer ones do not suffice'
      : '';
    const tier = endpoint.tier === 1 ? ' (tier 1: used only when no tier 0 is left)' : '';
    const registry = `${reasonOf(endpoint, `is ${endpoint.state}`)}${tier}${zone}${share}`;
    if (!isChecked) {
      this.set(target, 'healthy', registry);
    } else if (health.state === 'initial') {
      this.set(target, 'initial', `${registry}; not checked yet, used until then`);
    } else {
      this.set(target, 'healthy', `${registry}; health check: ${health.detail}`);
    }
  }
}

/** Why unhealthy targets are used. */
function causeOf(inUse: ReadonlySet<GroupTarget>): string {
  const isAnyHealthy = [...inUse].some(({ health }) => health.state !== 'unhealthy');
  return isAnyHealthy ? 'too few targets are healthy' : 'every target fails';
}
