import type { TargetOutcome } from '../model/observer.ts';
import type { Target } from '../model/target.ts';
import { AttemptResult } from './attempt-result.ts';
import type { ExchangeServices } from './exchange-services.ts';
import type { UpstreamConnection, UpstreamOwner } from './upstream-connection.ts';

/** Nothing that the target did, or did not. */
const BLAMELESS: ReadonlySet<TargetOutcome> = new Set(['answered', 'cancelled', 'not_tried']);

/** The use of one connection to one target, with its counters and deadlines. Used again for each attempt. */
export class Attempt {
  upstream: UpstreamConnection | undefined;
  target: Target | undefined;
  #startedAt = 0;
  readonly #services: ExchangeServices;
  readonly #result = new AttemptResult();

  constructor(services: ExchangeServices) {
    this.#services = services;
  }

  /** `isFresh`: not on a connection that served before. */
  start(target: Target, owner: UpstreamOwner, isFresh: boolean): UpstreamConnection {
    this.target = target;
    target.begin();
    target.counters.requests++;
    this.#startedAt = this.#services.clock.monotonicMs();
    this.upstream = this.#services.pool.acquire(target, owner, isFresh);
    return this.upstream;
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    return this.upstream!.write(buffer, start, end);
  }

  expectBytesWithin(ms: number): void {
    if (this.upstream !== undefined)
      this.upstream.readDeadline = this.#services.clock.monotonicMs() + ms;
  }

  /** As `expectBytesWithin`, where bytes are expected at all. */
  extend(isAnswering: boolean): void {
    if (this.upstream === undefined || this.upstream.readDeadline === 0) return;
    const { responseMs, responseIdleMs } = this.#services.timeouts;
    this.expectBytesWithin(isAnswering ? responseIdleMs : responseMs);
  }

  /** A last look whether a silent target takes what it was sent: the deadline comes back unless it does. */
  inquireSending(): void {
    this.expectBytesWithin(this.#services.queueWatch.reprieveMs);
    this.upstream?.inquireSending();
  }

  /** Ends the attempt and its connection. Nothing happens when there is none. */
  giveUp(outcome: TargetOutcome, reason: string): void {
    const upstream = this.upstream;
    if (upstream === undefined) return;
    this.#finish(outcome, 0, reason);
    upstream.discard();
    if (outcome === 'not_tried') this.#services.pool.shedIdle();
  }

  /** A whole answer. `keepAliveSeconds`: -1 when not said; undefined: the connection cannot be used again. */
  complete(status: number, keepAliveSeconds: number | undefined): void {
    const upstream = this.upstream!;
    this.#finish('answered', status, '');
    if (keepAliveSeconds === undefined) upstream.discard();
    else this.#services.pool.release(upstream, keepAliveSeconds);
  }

  #finish(outcome: TargetOutcome, status: number, reason: string): void {
    this.upstream = undefined;
    const target = this.target!;
    target.end();
    if (outcome === 'connect_failed') target.counters.connectFailures++;
    if (!BLAMELESS.has(outcome)) target.counters.failures++;
    const result = this.#result;
    result.status = status;
    result.durationMs = this.#services.clock.monotonicMs() - this.#startedAt;
    result.reason = reason;
    this.#services.observer.onTargetResult(target, outcome, result);
  }
}
