import { type Lease, MAX_RENEWALS, type RenewReply } from '@rollcall/contract';
import { Backoff, type Timer } from '@rollcall/runtime';
import { RollcallError } from '../base/error.ts';
import { warnOfFault } from '../base/guard.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { RegistryApi } from '../registry/registry-api.ts';

/** Who holds a lease and wants to know how it fares. */
export interface LeaseHolder {
  onRenewed(): void;
  /** The registry forgot the lease. */
  onUnknown(lease: string): void;
  /** A successor has the place. */
  onSuperseded(lease: string): void;
  /** No renewal came through for a whole TTL; said once, renewing goes on. */
  onSilent(error: RollcallError): void;
}

interface Kept {
  readonly lease: Lease;
  readonly holder: LeaseHolder;
  dueMs: number;
  renewedAtMs: number;
  isSilent: boolean;
  /** The registry may take the holder for dead: a sign of life is wanted soon. */
  isInDoubt: boolean;
}

/** Heartbeats due within this share of their interval go along with the earliest one. */
const EARLY_RATIO = 0.25;

/** How long a server may take when the registry may take a holder for dead: it evicts him after 2 s. In ms. */
const IN_DOUBT_MS = 500;

/** The same of a server beside which there is no other: what helps is only another connection, and its store may be slow. In ms. */
const ALONE_MS = 1_500;

/** A server is given no less than this, however little is left of a lease, in ms. */
const LEAST_MS = 250;

/** First pause after a round in which no url answered, in ms. */
const FIRST_PAUSE_MS = 100;

/**
 * Renews leases, every third of their TTL or a little sooner, those that fall together in one call.
 * A round that fails is repeated after a jittered pause of at most the interval, for as long as a
 * lease is kept.
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

  /** Renews everything now: the connection that spoke for the leases is gone. */
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
    const pauseMs = this.#backoff.next(error.retryAfterMs ?? 0);
    for (const kept of due) {
      const { lease, holder } = kept;
      kept.dueMs = nowMs + Math.min(pauseMs, this.#jittered(lease.heartbeatIntervalMs));
      if (kept.isSilent || nowMs - kept.renewedAtMs < lease.ttlMs) continue;
      kept.isSilent = true;
      holder.onSilent(error);
    }
  }

  /** A server that hangs, or drips, is left in time for all the others to be asked before a lease ends. */
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
