import type { EndpointLoad, EndpointTraffic, TrafficReport } from '@rollcall/contract';
import type { Clock } from '@rollcall/runtime';

/** Entries kept in all; beyond it the reports that came first are dropped. About 250 bytes each. */
const MAX_ENTRIES = 200_000;

interface Posted {
  readonly namespace: string;
  readonly report: TrafficReport;
  readonly endMs: number;
}

/** What callers reported about their calls. It is kept in memory only: nothing depends on it, and it ends in seconds. */
export class TrafficBoard {
  readonly #clock: Clock;
  /** By reporter, the latest last. */
  readonly #posted = new Map<string, Posted>();
  #entries = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `owner` keeps callers with different tokens from replacing each other's reports. */
  put(from: { namespace: string; reporter: string; owner: string }, report: TrafficReport): void {
    const { namespace, reporter, owner } = from;
    const key = `${namespace}/${reporter}/${owner}`;
    this.#drop(key);
    const now = this.#clock.monotonicMs();
    this.#posted.set(key, { namespace, report, endMs: now + report.forMs });
    this.#entries += report.endpoints.length;
    for (const [other, { endMs }] of this.#posted) {
      if (other === key || (endMs > now && this.#entries <= MAX_ENTRIES)) break;
      this.#drop(other);
    }
  }

  /** The calls to each endpoint of a namespace, or of all (`*`), by name. */
  loads(namespace: string): EndpointLoad[] {
    const now = this.#clock.monotonicMs();
    const loads = new Map<string, EndpointLoad>();
    for (const posted of this.#posted.values()) {
      if (posted.endMs <= now) continue;
      if (namespace !== '*' && namespace !== posted.namespace) continue;
      addReport(loads, posted);
    }
    return [...loads].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, load]) => load);
  }

  #drop(key: string): void {
    this.#entries -= this.#posted.get(key)?.report.endpoints.length ?? 0;
    this.#posted.delete(key);
  }
}

function addReport(loads: Map<string, EndpointLoad>, { namespace, report }: Posted): void {
  const perSecond = 1_000 / report.windowMs;
  // A caller may have several handles of one service.
  const own = new Set<string>();
  for (const traffic of report.endpoints) {
    const key = `${namespace}/${traffic.service}/${traffic.endpoint}`;
    const caller = own.has(key) ? 0 : 1;
    own.add(key);
    loads.set(
      key,
      sumOf(loads.get(key) ?? emptyLoad(namespace, traffic), traffic, perSecond, caller),
    );
  }
}

function emptyLoad(
  namespace: string,
  { service, endpoint, latencies }: EndpointTraffic,
): EndpointLoad {
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

function sumOf(
  load: EndpointLoad,
  traffic: EndpointTraffic,
  perSecond: number,
  callers: number,
): EndpointLoad {
  return {
    ...load,
    callers: load.callers + callers,
    callsPerSecond: load.callsPerSecond + traffic.calls * perSecond,
    failuresPerSecond: load.failuresPerSecond + traffic.failures * perSecond,
    inFlight: load.inFlight + traffic.inFlight,
    latencies: load.latencies.map((rate, i) => rate + (traffic.latencies[i] ?? 0) * perSecond),
  };
}
