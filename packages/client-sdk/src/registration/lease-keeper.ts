import { type Lease, MAX_RENEWALS, type RenewReply } from '@rollcall/contract';
import { Backoff, type Timer } from '@rollcall/runtime';
import { RollcallError } from '../base/error.ts';
import { warnOfFault } from '../base/guard.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';

/** The owner of a lease; receives the lease's events. */
export interface LeaseHolder {
  onRenewed(): void;
  /** The registry does not know the lease any more. */
  onUnknown(lease: string): void;
  /** A successor has the place. */
  onSuperseded(lease: string): void;
  /** No renewal succeeded for a whole TTL. Reported once; renewals continue. */
  onSilent(error: RollcallError): void;
}

interface Kept {
  readonly lease: Lease;
  readonly holder: LeaseHolder;
  dueMs: number;
  renewedAtMs: number;
  isSilent: boolean;
  /** The registry may consider the owner dead: renew soon. */
  isInDoubt: boolean;
}

/** Heartbeats due within this share of their interval are sent together with the earliest one. */
const EARLY_RATIO = 0.25;

/** Timeout of a server while the registry may consider an owner dead, in ms: the registry evicts it after 2 s. */
const IN_DOUBT_MS = 500;

/**
 * The same timeout when there is only one server, in ms: only another connection can help, and its store may be slow.
 */
const ALONE_MS = 1_500;

/** Shortest timeout of a server, even if the lease ends sooner, in ms. */
const LEAST_MS = 250;

/** First pause after a round in which no URL answered, in ms. */
const FIRST_PAUSE_MS = 100;

/**
 * Renews leases at every third of their TTL or a little sooner; renewals that are due together share one call. A failed
 * round is repeated after a jittered pause of at most the interval, for as long as a lease is kept.
 */
export class LeaseKeeper {
  readonly #client: RegistryApi;
  readonly #options: ResolvedOptions;
  readonly #backoff: Backoff;
  readonly #kept = new Map<string, Kept>();
  readonly #closing = new AbortController();
  #timer: Timer | undefined;
  #isBeating = false;

  constructor(client: RegistryApi, options: ResolvedOptions) {
    this.#client = client;
    this.#options = options;
    this.#backoff = new Backoff(options.runtime.random, FIRST_PAUSE_MS, 100_000);
  }

  add(lease: Lease, holder: LeaseHolder): void {
    const nowMs = this.#options.runtime.monotonicMs();
    const dueMs = nowMs + this.#jittered(lease.heartbeatIntervalMs);
    this.#kept.set(lease.id, {
      lease,
      holder,
      dueMs,
      renewedAtMs: nowMs,
      isSilent: false,
      isInDoubt: false,
    });
    this.#arm();
  }

  remove(lease: string): void {
    this.#kept.delete(lease);
    this.#arm();
  }

  /** Renews all leases now: the hold connection of the leases is gone. */
  renewNow(): void {
    const nowMs = this.#options.runtime.monotonicMs();
    for (const kept of this.#kept.values()) {
      kept.dueMs = nowMs;
      kept.isInDoubt = true;
    }
    this.#arm();
  }

  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
    this.#kept.clear();
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#isBeating || this.#kept.size === 0 || this.#closing.signal.aborted) return;
    let dueMs = Infinity;
    for (const kept of this.#kept.values()) dueMs = Math.min(dueMs, kept.dueMs);
    const { runtime } = this.#options;
    const delayMs = Math.max(dueMs - runtime.monotonicMs(), 0);
    this.#timer = runtime.after(delayMs, () => void this.#beat(), { keepsAlive: true });
  }

  async #beat(): Promise<void> {
    const { runtime } = this.#options;
    const startedAtMs = runtime.monotonicMs();
    const due = [...this.#kept.values()]
      .filter((kept) => kept.dueMs <= startedAtMs + this.#earlyMs(kept))
      .slice(0, MAX_RENEWALS);
    if (due.length === 0) {
      this.#arm();
      return;
    }
    this.#isBeating = true;
    try {
      const leases = due.map((kept) => kept.lease.id);
      const { signal } = this.#closing;
      const timeoutMs = this.#timeoutMs(due);
      const reply = await this.#client.call('renew', { body: { leases }, signal, timeoutMs });
      this.#backoff.reset();
      this.#settle(due, reply, startedAtMs);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (!(error instanceof RollcallError)) warnOfFault(runtime, 'renewing leases', error);
      this.#postpone(due, error);
    } finally {
      this.#isBeating = false;
      this.#arm();
    }
  }

  #settle(due: readonly Kept[], reply: RenewReply, startedAtMs: number): void {
    const unknown = new Set(reply.unknown);
    const superseded = new Set(reply.superseded);
    for (const kept of due) {
      const { lease, holder } = kept;
      if (this.#kept.get(lease.id) !== kept) continue;
      if (superseded.has(lease.id)) holder.onSuperseded(lease.id);
      else if (unknown.has(lease.id)) holder.onUnknown(lease.id);
      else {
        kept.renewedAtMs = startedAtMs;
        kept.isSilent = false;
        kept.isInDoubt = false;
        kept.dueMs = startedAtMs + this.#jittered(lease.heartbeatIntervalMs);
        holder.onRenewed();
      }
    }
  }

  #postpone(due: readonly Kept[], thrown: unknown): void {
    const error =
      thrown instanceof RollcallError
        ? thrown
        : new RollcallError('registry_garbled', 'leases could not be renewed', { cause: thrown });
    const nowMs = this.#options.runtime.monotonicMs();
    const pauseMs = this.#backoff.nextDelayMs(error.retryAfterMs ?? 0);
    for (const kept of due) {
      const { lease, holder } = kept;
      kept.dueMs = nowMs + Math.min(pauseMs, this.#jittered(lease.heartbeatIntervalMs));
      if (kept.isSilent || nowMs - kept.renewedAtMs < lease.ttlMs) continue;
      kept.isSilent = true;
      holder.onSilent(error);
    }
  }

  /**
   * Short enough to leave a hanging or dripping server in time, so that all other servers
   * can be asked before a lease ends.
   */
  #timeoutMs(due: readonly Kept[]): number {
    const nowMs = this.#options.runtime.monotonicMs();
    const servers = this.#options.url.length;
    const patiencesMs = due.map(({ lease, isInDoubt, renewedAtMs }) => {
      const { heartbeatIntervalMs, ttlMs } = lease;
      if (servers === 1)
        return Math.min(heartbeatIntervalMs * 1.5, isInDoubt ? ALONE_MS : Infinity);
      const shareMs = Math.max((renewedAtMs + ttlMs - nowMs) / servers, LEAST_MS);
      return Math.min(heartbeatIntervalMs, shareMs, isInDoubt ? IN_DOUBT_MS : Infinity);
    });
    return Math.min(this.#options.requestTimeoutMs, ...patiencesMs);
  }

  #earlyMs({ lease }: Kept): number {
    return lease.heartbeatIntervalMs * EARLY_RATIO;
  }

  #jittered(intervalMs: number): number {
    return intervalMs * (0.8 + 0.2 * this.#options.runtime.random());
  }
}
