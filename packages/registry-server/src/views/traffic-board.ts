import type { EndpointLoad, EndpointTraffic, TrafficReport } from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';

/** Entries kept in all, about 500 bytes each; a report counts as one more, so that empty ones are bounded too. */
const MAX_ENTRIES = 100_000;

/** Where a report comes from. */
export interface ReportSource {
  readonly namespace: string;
  readonly reporter: string;
  /** Its token, or its address: a caller cannot replace the report of another, nor crowd the others out. */
  readonly owner: string;
}

interface Posted extends ReportSource {
  readonly report: TrafficReport;
  readonly endMs: number;
  readonly size: number;
}

/** Whether the roll has an endpoint: what callers make up is not shown. */
type IsKnown = (namespace: string, service: string, endpoint: string) => boolean;

/** What callers reported about their calls. It is kept in memory only: nothing depends on it, and it ends in seconds. */
export class TrafficBoard {
  readonly #clock: Clock;
  /** By reporter, the latest last. */
  readonly #posted = new Map<string, Posted>();
  /** Entries of each owner. */
  readonly #sizes = new Map<string, number>();
  #size = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Entries kept now. */
  get size(): number {
    return this.#size;
  }

  put(from: ReportSource, report: TrafficReport): void {
    const key = `${from.namespace}/${from.reporter}/${from.owner}`;
    this.#drop(key);
    const now = this.#clock.monotonicMs();
    const size = report.endpoints.length + 1;
    this.#posted.set(key, { ...from, report, endMs: now + report.forMs, size });
    this.#grow(from.owner, size);
    for (const [other, { endMs }] of this.#posted) {
      if (endMs > now) break;
      this.#drop(other);
    }
    if (this.#size > MAX_ENTRIES) this.#makeRoom(key);
  }

  /** The calls to each known endpoint of a namespace, or of all (`*`), by name. */
  loads(namespace: string, isKnown: IsKnown): EndpointLoad[] {
    const now = this.#clock.monotonicMs();
    const loads = new Map<string, EndpointLoad>();
    for (const posted of this.#posted.values()) {
      if (posted.endMs <= now) continue;
      if (namespace !== '*' && namespace !== posted.namespace) continue;
      addReport(loads, posted, isKnown);
    }
    return [...loads].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, load]) => rounded(load));
  }

  /** Drops the oldest reports of the owner that has the most, but not the one that has just come. */
  #makeRoom(latest: string): void {
    const [largest] = [...this.#sizes].toSorted(([, a], [, b]) => b - a)[0] ?? [];
    for (const [key, { owner }] of this.#posted) {
      if (this.#size <= MAX_ENTRIES) break;
      if (owner === largest && key !== latest) this.#drop(key);
    }
  }

  #drop(key: string): void {
    const posted = this.#posted.get(key);
    if (posted === undefined) return;
    this.#posted.delete(key);
    this.#grow(posted.owner, -posted.size);
  }

  #grow(owner: string, by: number): void {
    this.#size += by;
    const size = (this.#sizes.get(owner) ?? 0) + by;
    if (size === 0) this.#sizes.delete(owner);
    else this.#sizes.set(owner, size);
  }
}

/** A load while it is added up. */
type Sum = { -readonly [K in keyof EndpointLoad]: EndpointLoad[K] };

function addReport(loads: Map<string, Sum>, { namespace, report }: Posted, isKnown: IsKnown): void {
  const perSecond = 1_000 / report.windowMs;
  // A caller may have several handles of one service.
  const own = new Set<string>();
  for (const traffic of report.endpoints) {
    const { service, endpoint } = traffic;
    const key = `${namespace}/${service}/${endpoint}`;
    let sum = loads.get(key);
    if (sum === undefined) {
      if (!isKnown(namespace, service, endpoint)) continue;
      sum = emptyLoad(namespace, traffic);
      loads.set(key, sum);
    }
    if (!own.has(key)) sum.callers++;
    own.add(key);
    sum.callsPerSecond += traffic.calls * perSecond;
    sum.failuresPerSecond += traffic.failures * perSecond;
    sum.inFlight += traffic.inFlight;
    for (const [i, count] of traffic.latencies.entries()) sum.latencies[i]! += count * perSecond;
  }
}

function emptyLoad(namespace: string, { service, endpoint, latencies }: EndpointTraffic): Sum {
  return {
    namespace,
    service,
    endpoint,
    callers: 0,
    callsPerSecond: 0,
    failuresPerSecond: 0,
    inFlight: 0,
    latencies: latencies.map(() => 0),
  };
}

/** Three digits behind the point: the rest would be most of the answer. */
const round = (rate: number) => Math.round(rate * 1_000) / 1_000;

function rounded(load: EndpointLoad): EndpointLoad {
  return {
    ...load,
    callsPerSecond: round(load.callsPerSecond),
    failuresPerSecond: round(load.failuresPerSecond),
    latencies: load.latencies.map(round),
  };
}
