import { type EndpointTraffic, MAX_REPORTED } from '@rollcall/contract';
import type { Timer } from '@rollcall/runtime';
import { RollcallError } from '../base/error.ts';
import type { ResolvedOptions } from '../api/options.ts';
import type { TrafficSource } from '../api/traffic.ts';
import type { RegistryApi } from '../registry/registry-api.ts';

/** A report counts for this many windows: one that is lost leaves no gap. */
const WINDOWS = 3;
/** How long no report is sent after a refusal that another try would not change, in ms: the registry may be older. */
const REFUSED_PAUSE_MS = 300_000;
/** One report. */
interface Part {
  readonly ns: string;
  readonly part: number;
  readonly endpoints: readonly EndpointTraffic[];
}

/**
 * Reports the calls that this process makes, for `rollcall top`. A namespace without calls costs no report. Nothing
 * depends on the reports, so a failed one is not repeated, and nobody is told.
 */
export class TrafficReporter {
  readonly #api: Pick<RegistryApi, 'call'>;
  readonly #options: ResolvedOptions;
  readonly #reporter: string;
  readonly #sources = new Set<TrafficSource>();
  /** Number of reports that each namespace had last time: one that ends is reported once more, as empty. */
  #reported = new Map<string, number>();
  readonly #closing = new AbortController();
  #timer: Timer | undefined;
  #sinceMs = 0;
  #pausedUntilMs = 0;

  constructor(api: Pick<RegistryApi, 'call'>, options: ResolvedOptions) {
    this.#api = api;
    this.#options = options;
    this.#reporter = `client-${options.runtime.randomId()}`;
  }

  /** Reports the calls of a source from now on. Returns a function that ends it. */
  add(source: TrafficSource): () => void {
    const { trafficReportMs, runtime } = this.#options;
    if (trafficReportMs === 0 || this.#closing.signal.aborted) return () => {};
    this.#sources.add(source);
    if (this.#timer === undefined) {
      this.#sinceMs = runtime.monotonicMs();
      // Clients that start together report at different times.
      this.#schedule(trafficReportMs * (0.5 + runtime.random() / 2));
    }
    return () => this.#sources.delete(source);
  }

  close(): void {
    this.#closing.abort();
    this.#timer?.cancel();
  }

  #schedule(ms: number): void {
    this.#timer = this.#options.runtime.after(ms, () => {
      this.#schedule(this.#options.trafficReportMs);
      void this.#report();
    });
  }

  async #report(): Promise<void> {
    const nowMs = this.#options.runtime.monotonicMs();
    const windowMs = Math.max(10, Math.round(nowMs - this.#sinceMs));
    this.#sinceMs = nowMs;
    const found = this.#take();
    const reports = this.#reportsOf(found);
    if (nowMs < this.#pausedUntilMs) return;
    await Promise.all(reports.map((one) => this.#put(one, windowMs))).catch((error: unknown) => {
      const isRefused = error instanceof RollcallError && !error.retryable;
      if (isRefused) this.#pausedUntilMs = nowMs + REFUSED_PAUSE_MS;
    });
  }

  /** One report for each namespace, or several if there is too much for one. */
  #reportsOf(found: ReadonlyMap<string, readonly EndpointTraffic[]>): Part[] {
    const parts = [...new Set([...this.#reported.keys(), ...found.keys()])].flatMap((ns) => {
      const entries = found.get(ns) ?? [];
      const count = Math.ceil(entries.length / MAX_REPORTED);
      return Array.from({ length: Math.max(count, this.#reported.get(ns) ?? 0) }, (_, part) => {
        const endpoints = entries.slice(part * MAX_REPORTED, (part + 1) * MAX_REPORTED);
        return { ns, part, endpoints };
      });
    });
    this.#reported = new Map(
      Array.from(found, ([ns, { length }]) => [ns, Math.ceil(length / MAX_REPORTED)]),
    );
    return parts;
  }

  async #put({ ns, part, endpoints }: Part, windowMs: number): Promise<void> {
    const forMs = Math.min(3_600_000, Math.max(1_000, this.#options.trafficReportMs * WINDOWS));
    await this.#api.call('putTraffic', {
      params: { ns, reporter: `${this.#reporter}${part === 0 ? '' : `.${part}`}` },
      body: { windowMs, forMs, endpoints },
      signal: this.#closing.signal,
    });
  }

  /** What was called since the last time, by namespace. */
  #take(): Map<string, EndpointTraffic[]> {
    const found = new Map<string, EndpointTraffic[]>();
    for (const source of this.#sources) {
      const { service, namespace = this.#options.namespace } = source;
      for (const { id, inFlight, traffic } of source.targets()) {
        const { calls, failures, latencies } = traffic.take();
        if (calls === 0 && inFlight === 0) continue;
        const entry = {
          service,
          endpoint: id,
          calls,
          failures,
          inFlight,
          latencies: [...latencies],
        };
        const entries = found.get(namespace);
        if (entries === undefined) found.set(namespace, [entry]);
        else entries.push(entry);
      }
    }
    return found;
  }
}
