import { type Picker, TargetPool } from '@rollcall/balancing';
import type { Endpoint } from '@rollcall/client-sdk';
import type { RetryRule, TargetGroup } from '@rollcall/dataplane';
import { isDeepStrictEqual } from 'node:util';
import type { TargetGroupConfig } from '../config/schema.ts';
import type { HealthChecks } from '../health/health-checks.ts';
import type { HealthThresholds } from '../health/health-status.ts';
import { DrainingTargets } from './draining-targets.ts';
import { GroupQueue } from './group-queue.ts';
import { policyOf, poolSettingsOf } from './group-policy.ts';
import { GroupSnapshot } from './group-snapshot.ts';
import { type AttemptListener, GroupTarget } from './group-target.ts';
import { explainNoTarget } from './no-target.ts';
import { retryRuleOf } from './retry-rule.ts';
import { leftReason, reasonOf } from './standing-reason.ts';
import { Standings } from './standings.ts';
import type { TargetGroupParts } from './target-group-parts.ts';
import type { TargetWay } from './target-way.ts';

const ALWAYS = { healthyThreshold: 1, unhealthyThreshold: 1 };

/**
 * Targets that come and go: combines the picture of their source, the health checks and the outcomes of attempts in one
 * frozen snapshot, rebuilt whenever any of them changes. Its source, attempts and `tick` drive it: it
 * has no timer of its own.
 */
export class LiveTargetGroup implements TargetGroup, AttemptListener {
  readonly name: string;
  /** Too few targets are healthy, or none, so all are used. */
  isFailOpen = false;
  retry: RetryRule | undefined;
  /** Undefined: its targets take any number of requests. */
  queue: GroupQueue | undefined;
  readonly #parts: TargetGroupParts;
  readonly #pool: TargetPool<GroupTarget>;
  readonly #draining: DrainingTargets;
  readonly #standings: Standings;
  readonly #endChanges: () => void;
  #config: TargetGroupConfig;
  #way: TargetWay | undefined;
  #checks: HealthChecks | undefined;
  readonly #listeners = new Set<() => void>();
  #snapshot: GroupSnapshot;

  constructor(name: string, config: TargetGroupConfig, parts: TargetGroupParts) {
    this.name = name;
    this.#config = config;
    this.#parts = parts;
    this.retry = retryRuleOf(config);
    this.#way = parts.way;
    this.#standings = new Standings(name, parts);
    const { random, clock, closer, source } = parts;
    this.#pool = new TargetPool<GroupTarget>(policyOf(config), {
      create: (endpoint) => this.#create(endpoint),
      ...poolSettingsOf(config),
      nowMs: () => clock.monotonicMs(),
      random,
      isFit: ({ health }) => health.state !== 'unhealthy',
      // A departed target returns as a new target: its old connections and checks no longer count.
      isDone: ({ standing }, endpoint) => endpoint.ready && standing.state === 'draining',
    });
    this.#draining = new DrainingTargets(config.deregistrationDelayMs, clock, closer);
    this.#checks = this.#openChecks();
    this.#snapshot = this.#snapshotOf(this.#pool.state().picker);
    this.#limit();
    this.#endChanges = source.onChange(() => this.#takePicture());
    this.#takePicture();
  }

  get config(): TargetGroupConfig {
    return this.#config;
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

  /** Why it has no target; empty while it has one. */
  get trouble(): string {
    return this.#snapshot.isEmpty ? this.#explainNone().cause : '';
  }

  /** The latest picture; undefined before the first. */
  get endpoints(): readonly Endpoint[] | undefined {
    return this.#parts.source.endpoints();
  }

  /** Why there is no picture; empty while there is one. */
  get explanation(): string {
    return this.hasPicture ? '' : this.#parts.source.explain();
  }

  /** Calls the listener after each change of its targets or their states. Returns a function that unsubscribes. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get pictureAgeMs(): number {
    return this.#parts.source.ageMs();
  }

  snapshot(): GroupSnapshot {
    return this.#snapshot;
  }

  /** The targets in the picture, and those that are still draining. */
  targets(): GroupTarget[] {
    return [...new Set([...this.#pool.targets(), ...this.#draining.targets()])];
  }

  /** Must be called several times per second. */
  tick(): void {
    for (const target of this.#draining.sweep()) this.#noteRemoved(target);
    this.queue?.tick();
    if (this.#standings.isRetired) return;
    this.#checks?.tick();
    if (this.#pool.isRebuildDue()) this.#rebuild();
  }

  /** Applies other settings, or another way, for the same source. What is known of the targets stays. */
  configure(config: TargetGroupConfig, way: TargetWay | undefined): void {
    const before = this.#config;
    const isOtherWay = way !== this.#way;
    if (!isOtherWay && isDeepStrictEqual(before, config)) return;
    this.#config = config;
    this.retry = retryRuleOf(config);
    this.#limit();
    this.#parts.source.configure?.(config);
    if (isOtherWay) this.#useWay(way);
    this.#draining.delayMs = config.deregistrationDelayMs;
    this.#pool.configure(policyOf(config), poolSettingsOf(config));
    if (isOtherWay || !isDeepStrictEqual(before.healthCheck, config.healthCheck))
      this.#replaceChecks();
    this.#rebuild();
  }

  /** It gets no more requests: its targets drain. */
  retire(): void {
    this.close();
    this.#standings.isRetired = true;
    for (const target of this.#pool.targets()) this.#depart(target, 'its target group was removed');
  }

  /** After {@link retire}: the last request has ended. */
  get isDrained(): boolean {
    return this.#draining.isEmpty && this.queue?.isEmpty !== false;
  }

  close(): void {
    this.#endChanges();
    this.#checks?.watch([]);
    this.#parts.source.close?.();
  }

  onAnswered(target: GroupTarget, status: number): void {
    if (this.#pool.answered(target, status)) this.#rebuild();
  }

  onFailed(target: GroupTarget, isConnect: boolean): void {
    if (this.#pool.failed(target, isConnect ? 'connect' : 'call')) this.#rebuild();
  }

  onEnded(): void {
    this.queue?.wake();
  }

  /** Applies the limits of its targets. Those that wait go on, also when there is no limit any more. */
  #limit(): void {
    const { maxRequestsPerTarget, queue } = this.#config;
    if (maxRequestsPerTarget !== undefined || this.queue?.isEmpty === false) {
      const { clock } = this.#parts;
      this.queue ??= new GroupQueue(queue, { clock, snapshot: () => this.#snapshot });
      this.queue.settings = queue;
    } else this.queue = undefined;
    this.#snapshot = this.#snapshotOf(this.#snapshot.picker);
  }

  #takePicture(): void {
    const endpoints = this.#parts.source.endpoints();
    if (endpoints === undefined) return;
    for (const target of this.#pool.setEndpoints(endpoints)) {
      const isReplaced = this.#pool.get(target.id) !== undefined;
      this.#depart(
        target,
        isReplaced ? 'replaced by another address' : leftReason(target.endpoint),
      );
    }
    this.#departTerminating();
    this.#checks?.watch(this.#pool.state().usable);
    this.#rebuild();
  }

  /** Terminating targets get no more requests, unless no other target is left. */
  #departTerminating(): void {
    const inUse = new Set(this.#pool.state().usable);
    for (const target of this.#pool.targets()) {
      const { endpoint } = target;
      if (!endpoint.terminating) continue;
      const reason = reasonOf(endpoint, 'is draining');
      if (!inUse.has(target)) this.#depart(target, reason);
      else
        this.#standings.set(
          target,
          'draining',
          `${reason}; used anyway, because no other target is left`,
        );
    }
  }

  #create(endpoint: Endpoint): GroupTarget {
    const target = new GroupTarget(endpoint, this, {
      thresholds: this.#thresholds,
      since: new Date(this.#parts.clock.wallMs()),
      connector: this.#way,
    });
    this.#standings.note(target, 'added', `at ${endpoint.address}:${endpoint.port}`);
    return target;
  }

  /** Notes that its last request has ended, unless a target with the same id is in use. */
  #noteRemoved(target: GroupTarget): void {
    if (this.#pool.get(target.id) === undefined)
      this.#standings.note(target, 'removed', 'its last request has ended');
  }

  get #thresholds(): HealthThresholds {
    return this.#config.healthCheck ?? ALWAYS;
  }

  #openChecks(): HealthChecks | undefined {
    const { healthCheck } = this.#config;
    if (healthCheck?.enabled !== true) return undefined;
    const onChange = () => this.#rebuild();
    return this.#parts.openChecks(healthCheck, onChange, this.#way, this.#parts.source);
  }

  /** Requests in progress end on the connections that they have. */
  #useWay(way: TargetWay | undefined): void {
    this.#way = way;
    for (const target of this.#pool.targets()) {
      target.connector = way;
      this.#parts.closer.renew(target);
    }
  }

  /** Other checks begin where the last ones ended. */
  #replaceChecks(): void {
    this.#checks?.watch([]);
    this.#checks = this.#openChecks();
    for (const { health } of this.#pool.targets()) {
      health.configure(this.#thresholds);
      if (this.#checks === undefined) health.forget();
    }
    this.#checks?.watch(this.#pool.state().usable);
  }

  #depart(target: GroupTarget, reason: string): void {
    this.#draining.add(target);
    this.#standings.set(target, 'draining', reason);
  }

  #rebuild(): void {
    // Health changes do not invalidate the pool's state by themselves.
    this.#pool.invalidate();
    const { picker, isFailOpen, far } = this.#pool.state();
    this.isFailOpen = isFailOpen;
    const inUse = new Set(picker.candidates);
    const view = { inUse, isFailOpen, far, isChecked: this.#checks !== undefined };
    for (const target of this.#pool.targets()) this.#standings.review(target, view);
    if (picker !== this.#snapshot.picker) this.#snapshot = this.#snapshotOf(picker);
    this.queue?.wake();
    for (const listener of this.#listeners) listener();
  }

  #snapshotOf(picker: Picker<GroupTarget>): GroupSnapshot {
    const most = this.#config.maxRequestsPerTarget ?? Infinity;
    return new GroupSnapshot(picker, most, () => this.#explainNone());
  }

  #explainNone(): ReturnType<typeof explainNoTarget> {
    return explainNoTarget({
      name: this.name,
      config: this.#config,
      noPicture: this.hasPicture ? undefined : this.#parts.source.explain(),
      states: Array.from(this.#pool.targets(), ({ endpoint }) => endpoint.state),
    });
  }
}
