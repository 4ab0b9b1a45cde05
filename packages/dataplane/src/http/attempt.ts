import type { TargetOutcome } from '../model/observer.ts';
import type { Target } from '../model/target.ts';
import { AttemptResult } from './attempt-result.ts';
import type { ExchangeServices } from './exchange-services.ts';
import type { RequestLedger } from './request-ledger.ts';
import type { UpstreamConnection, UpstreamOwner } from './upstream-connection.ts';

/** Outcomes that do not count against the target. */
const BLAMELESS: ReadonlySet<TargetOutcome> = new Set(['answered', 'cancelled', 'not_tried']);

/** The use of one connection to one target, with its counters and deadlines. Reused for each attempt. */
export class Attempt {
  upstream: UpstreamConnection | undefined;
  target: Target | undefined;
  #startedAt = 0;
  readonly #services: ExchangeServices;
  readonly #ledger: RequestLedger;
  readonly #result = new AttemptResult();

  constructor(services: ExchangeServices, ledger: RequestLedger) {
    this.#services = services;
    this.#ledger = ledger;
  }

  /** `isFresh`: do not reuse a connection that has served a request before. */
  connect(target: Target, owner: UpstreamOwner, isFresh: boolean): UpstreamConnection {
    this.target = target;
    target.begin();
    target.counters.requests++;
    // The first one begins when the request does.
    this.#startedAt =
      this.#ledger.record.attempts > 1
        ? this.#services.clock.monotonicMs()
        : this.#services.clock.recentMs;
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

  /** Like `expectBytesWithin`, but only if bytes are expected at all. */
  postpone(isAnswering: boolean): void {
    if (this.upstream === undefined || this.upstream.readDeadline === 0) return;
    const { responseMs, responseIdleMs } = this.#services.timeouts;
    this.expectBytesWithin(isAnswering ? responseIdleMs : responseMs);
  }

  /**
   * Checks once more whether a silent target still takes the bytes sent to it: the deadline fires again unless it does.
   */
  inquireSending(): void {
    this.expectBytesWithin(this.#services.queueWatch.reprieveMs);
    this.upstream?.inquireSending();
  }

  /** Ends the attempt and its connection. Does nothing when there is none. */
  giveUp(outcome: TargetOutcome, reason: string): void {
    const upstream = this.upstream;
    if (upstream === undefined) return;
    this.#finish(outcome, 0, reason);
    upstream.discard();
    if (outcome === 'not_tried') this.#services.pool.shedIdle();
  }

  /** The response is complete. `keepAliveSeconds`: -1 = not given; undefined = the connection cannot be reused. */
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
    const { trace } = this.#ledger;
    if (trace !== undefined) trace.onTryEnd(outcome, result);
  }
}
