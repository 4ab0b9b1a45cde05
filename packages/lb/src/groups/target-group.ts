import { Ejection, createPicker, usable } from '@rollcall/balancing';
import type { Endpoint } from '@rollcall/client-sdk';
import type { NoTarget, TargetGroup } from '@rollcall/dataplane';
import type { TargetGroupConfig } from '../config/schema.ts';
import { HealthChecker } from '../health/health-checker.ts';
import type { Probe } from '../health/probe.ts';
import type { Clock, Random } from '@rollcall/runtime';
import { type ConnectionCloser, Departures } from './departures.ts';
import { GroupSnapshot } from './group-snapshot.ts';
import { type AttemptListener, GroupTarget, type TargetState } from './group-target.ts';
import type { TargetSource } from './target-source.ts';

export interface TargetGroupParts {
  readonly source: TargetSource;
  readonly closer: ConnectionCloser;
  /** Undefined: no health checks. */
  readonly probe: Probe | undefined;
  readonly clock: Clock;
  readonly random: Random['share'];
  /** Hears of each change of a target's state. */
  readonly log: (message: string) => void;
}

const ALWAYS = { healthyThreshold: 1, unhealthyThreshold: 1 };

/**
 * A service as a group of targets: the registry's picture, the health checks and what became of attempts, made into one
 * frozen snapshot whenever any of them changes. Driven by its source, by attempts and by `tick`: no timer of its own.
 */
export class RegistryTargetGroup implements TargetGroup, AttemptListener {
  readonly name: string;
  readonly config: TargetGroupConfig;
  /** All targets fail their checks, so all are used. */
  isFailOpen = false;
  readonly #parts: TargetGroupParts;
  readonly #ejection: Ejection;
  readonly #departures: Departures;
  readonly #checker: HealthChecker | undefined;
  readonly #targets = new Map<string, GroupTarget>();
  readonly #endChanges: () => void;
  #nextReturn = Number.POSITIVE_INFINITY;
  #snapshot: GroupSnapshot;
  #mix: readonly MixEntry[] | undefined;

  constructor(name: string, config: TargetGroupConfig, parts: TargetGroupParts) {
    this.name = name;
    this.config = config;
    this.#parts = parts;
    const { random, clock, closer, probe, source } = parts;
    this.#ejection = new Ejection({ ...config.ejection, random });
    this.#departures = new Departures(config.deregistrationDelayMs, clock, closer);
    if (probe !== undefined && config.healthCheck !== undefined) {
      const onChange = () => this.#rebuild();
      const checkerParts = { probe, clock, random, onChange };
      this.#checker = new HealthChecker(config.healthCheck.intervalMs, checkerParts);
    }
    this.#snapshot = this.#createSnapshot([]);
    this.#endChanges = source.onChange(() => this.#takePicture());
    this.#takePicture();
  }

  get hasPicture(): boolean {
    return this.#parts.source.endpoints() !== undefined;
  }

  /** Resolves when there is a picture. */
  firstPicture(): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.hasPicture) return;
        end();
        resolve();
      };
      const end = this.#parts.source.onChange(look);
      look();
    });
  }

  /** Why it gives no target; empty while it does. */
  get trouble(): string {
    return this.#mix === undefined || this.#mix.length === 0 ? this.#explainNone().cause : '';
  }

  get pictureAgeMs(): number {
    return this.#parts.source.ageMs();
  }

  snapshot(): GroupSnapshot {
    return this.#snapshot;
  }

  /** Those in the picture, and those that still drain. */
  targets(): GroupTarget[] {
    return [...new Set([...this.#targets.values(), ...this.#departures.targets()])];
  }

  /** To be called several times a second. */
  tick(): void {
    this.#checker?.tick();
    this.#departures.settle();
    if (this.#parts.clock.monotonicMs() >= this.#nextReturn) this.#rebuild();
  }

  close(): void {
    this.#endChanges();
    this.#checker?.watch([]);
  }

  onAnswered(target: GroupTarget, status: number): void {
    if (status >= 500 && this.config.ejection.serverErrors) this.onFailed(target, false);
    else this.#ejection.succeeded(target.id);
  }

  onFailed(target: GroupTarget, isConnect: boolean): void {
    const kind = isConnect ? 'connect' : 'call';
    if (this.#ejection.failed(target.id, kind, this.#parts.clock.monotonicMs())) this.#rebuild();
  }

  #takePicture(): void {
    const endpoints = this.#parts.source.endpoints();
    if (endpoints === undefined) return;
    const seen = new Set<string>();
    const same = new Set<string>();
    for (const endpoint of endpoints) {
      seen.add(endpoint.id);
      if (this.#takeEndpoint(endpoint)) same.add(endpoint.id);
    }
    for (const [id, target] of this.#targets) {
      if (seen.has(id)) continue;
      this.#targets.delete(id);
      this.#depart(target, 'left the registry');
    }
    this.#ejection.retain(same);
    this.#partWithDraining();
    this.#checker?.watch(this.#usable());
    this.#rebuild();
  }

  /** Those that terminate take no more requests, unless nobody else is left. */
  #partWithDraining(): void {
    const inUse = new Set(this.#usable());
    for (const target of this.#targets.values()) {
      const { endpoint } = target;
      if (!endpoint.terminating) continue;
      const reason = reasonOf(endpoint, 'is draining');
      if (!inUse.has(target)) this.#depart(target, reason);
      else this.#stand(target, 'draining', `${reason}; used all the same, since no other is left`);
    }
  }

  /** @returns whether it was known before. */
  #takeEndpoint(endpoint: Endpoint): boolean {
    const known = this.#targets.get(endpoint.id);
    // One that departed comes back as another: its connections and checks belong to the past.
    const isSame =
      known !== undefined &&
      known.isAt(endpoint) &&
      !(endpoint.ready && known.standing.state === 'draining');
    const target = isSame ? known : this.#create(endpoint);
    if (known !== undefined && !isSame) this.#depart(known, 'replaced by another address');
    target.update(endpoint);
    this.#targets.set(endpoint.id, target);
    return isSame;
  }

  #create(endpoint: Endpoint): GroupTarget {
    const thresholds = this.config.healthCheck ?? ALWAYS;
    return new GroupTarget(endpoint, this, {
      thresholds,
      since: new Date(this.#parts.clock.wallMs()),
    });
  }

  #depart(target: GroupTarget, reason: string): void {
    this.#departures.begin(target);
    this.#stand(target, 'draining', reason);
  }

  /** Those that may take requests, health and ejection aside. */
  #usable(): GroupTarget[] {
    return usable(this.#targets.values());
  }

  #rebuild(): void {
    const now = this.#parts.clock.monotonicMs();
    const candidates = this.#usable();
    const healthy = candidates.filter(({ health }) => health.state !== 'unhealthy');
    this.isFailOpen = healthy.length === 0 && candidates.length > 0;
    const checked = this.isFailOpen ? candidates : healthy;
    const admitted = this.#ejection.admitted(checked, now);
    this.#nextReturn = this.#ejection.nextReturnMs(now);
    const inUse = new Set(admitted);
    for (const target of this.#targets.values()) this.#assess(target, inUse);
    this.#snapshot = this.#createSnapshot(admitted);
  }

  /** Checks that change nothing keep the picker, and with it whose turn it is. */
  #createSnapshot(admitted: readonly GroupTarget[]): GroupSnapshot {
    if (isSameMix(admitted, this.#mix)) return this.#snapshot;
    this.#mix = admitted.map((target) => ({ target, weight: target.weight, tier: target.tier }));
    const { random } = this.#parts;
    const picker = createPicker(this.config.policy, admitted, { random });
    return new GroupSnapshot(picker, () => this.#explainNone());
  }

  #assess(target: GroupTarget, inUse: ReadonlySet<GroupTarget>): void {
    const { endpoint, health } = target;
    if (endpoint.terminating) return;
    if (endpoint.tier === null) {
      this.#stand(target, 'unused', reasonOf(endpoint, `is ${endpoint.state}`));
    } else if (health.state === 'unhealthy') {
      const failOpen = this.isFailOpen ? '; used all the same, since every target fails' : '';
      this.#stand(target, 'unhealthy', `health check: ${health.detail}${failOpen}`);
    } else if (!inUse.has(target)) {
      this.#stand(target, 'ejected', 'attempts on it failed; it is passed over for a while');
    } else {
      this.#standUsed(target);
    }
  }

  #standUsed(target: GroupTarget): void {
    const { endpoint, health } = target;
    const tier = endpoint.tier === 1 ? ' (tier 1: used only when no tier 0 is left)' : '';
    const registry = `${reasonOf(endpoint, `is ${endpoint.state}`)}${tier}`;
    if (this.#checker === undefined) {
      this.#stand(target, 'healthy', registry);
    } else if (health.state === 'initial') {
      this.#stand(target, 'initial', `${registry}; not checked yet, used meanwhile`);
    } else {
      this.#stand(target, 'healthy', `${registry}; health check: ${health.detail}`);
    }
  }

  #stand(target: GroupTarget, state: TargetState, reason: string): void {
    const isSame = target.standing.state === state && target.standing.reason !== '';
    const since = isSame ? target.standing.since : new Date(this.#parts.clock.wallMs());
    if (!isSame) this.#parts.log(`target group ${this.name}: ${target.id} is ${state}: ${reason}`);
    target.standing = Object.freeze({ state, reason, since });
  }

  #explainNone(): NoTarget & { readonly cause: string } {
    const { service, namespace } = this.config;
    const group = `target group "${this.name}" (service ${service} in namespace ${namespace})`;
    if (!this.hasPicture) {
      const cause = `${group} has no picture from the registry yet: ${this.#parts.source.explain()}`;
      return { code: 'no_picture', detail: 'it is not known yet who takes this request', cause };
    }
    const count = this.#targets.size;
    const states = [...this.#targets.values()].map(({ endpoint }) => endpoint.state);
    const known =
      count === 0
        ? 'no instance is registered'
        : `none of ${count} is ready: ${[...new Set(states)].join(', ')}`;
    const cause = `${group} has no target that takes requests: ${known}`;
    return { code: 'no_targets', detail: 'nobody takes this request at the moment', cause };
  }
}

function reasonOf(endpoint: Endpoint, otherwise: string): string {
  return endpoint.reason === '' ? `the instance ${otherwise}` : endpoint.reason;
}

/** A target as a picker was built over it. */
interface MixEntry {
  readonly target: GroupTarget;
  readonly weight: number;
  readonly tier: 0 | 1;
}

function isSameMix(
  admitted: readonly GroupTarget[],
  mix: readonly MixEntry[] | undefined,
): boolean {
  return (
    admitted.length === mix?.length &&
    admitted.every((target, i) => {
      const before = mix[i];
      return (
        before?.target === target && before.weight === target.weight && before.tier === target.tier
      );
    })
  );
}
