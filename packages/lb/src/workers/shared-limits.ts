import type { SharedUse } from '@rollcall/dataplane';

type SourceUse = SharedUse['sources'][number];

/** Part of a limit that is used up: what is open now, and what was done since the others were last told. */
interface Kept {
  connections: number;
  /** By source. */
  readonly open: Map<string, number>;
  readonly news: Map<string, { requests: number; bytes: number }>;
}

/**
 * Lets workers hold limits together: each tells what it has used, and learns what all the others have. Between two
 * exchanges a source may get more than its rate, but it owes that afterwards, so over time the rate is exact.
 */
export class SharedLimits<Worker> {
  readonly #kept = new Map<Worker, Kept>();
  /** Connections elsewhere of which a worker was told last. */
  readonly #told = new Map<Worker, number>();

  /** A worker has told what it used since the last time. */
  note(worker: Worker, { connections, sources }: SharedUse): void {
    const kept = this.#keptOf(worker);
    kept.connections = connections;
    for (const { name, connections: open, requests, bytes } of sources) {
      if (open === 0) kept.open.delete(name);
      else kept.open.set(name, open);
      const news = kept.news.get(name) ?? { requests: 0, bytes: 0 };
      kept.news.set(name, { requests: news.requests + requests, bytes: news.bytes + bytes });
    }
  }

  /** A worker has ended: its connections are gone. */
  forget(worker: Worker): void {
    const kept = this.#kept.get(worker);
    this.#told.delete(worker);
    if (kept === undefined) return;
    kept.connections = 0;
    for (const name of kept.open.keys()) {
      if (!kept.news.has(name)) kept.news.set(name, { requests: 0, bytes: 0 });
    }
    kept.open.clear();
  }

  /** The limits have changed, and everybody begins anew. */
  reset(): void {
    this.#kept.clear();
    this.#told.clear();
  }

  /** What each of these workers has to be told: what all others have used since the last time. Those without news are left out. */
  exchange(workers: Iterable<Worker>): Map<Worker, SharedUse> {
    const told = new Map<Worker, SharedUse>();
    const total = this.#sum(({ connections }) => connections);
    for (const worker of workers) {
      const connections = total - (this.#kept.get(worker)?.connections ?? 0);
      const sources = this.#newsFor(worker);
      if (sources.length === 0 && connections === (this.#told.get(worker) ?? 0)) continue;
      this.#told.set(worker, connections);
      told.set(worker, { connections, sources });
    }
    for (const [worker, { news, open, connections }] of this.#kept) {
      news.clear();
      if (connections === 0 && open.size === 0) this.#kept.delete(worker);
    }
    return told;
  }

  #newsFor(worker: Worker): SourceUse[] {
    const found = new Map<string, { requests: number; bytes: number }>();
    for (const [other, { news }] of this.#kept) {
      if (other === worker) continue;
      for (const [name, { requests, bytes }] of news) {
        const sum = found.get(name) ?? { requests: 0, bytes: 0 };
        found.set(name, { requests: sum.requests + requests, bytes: sum.bytes + bytes });
      }
    }
    return Array.from(found, ([name, sum]) => {
      const all = this.#sum(({ open }) => open.get(name) ?? 0);
      const own = this.#kept.get(worker)?.open.get(name) ?? 0;
      return { name, connections: all - own, ...sum };
    });
  }

  #sum(valueOf: (kept: Kept) => number): number {
    let sum = 0;
    for (const kept of this.#kept.values()) sum += valueOf(kept);
    return sum;
  }

  #keptOf(worker: Worker): Kept {
    let kept = this.#kept.get(worker);
    if (kept === undefined) {
      kept = { connections: 0, open: new Map(), news: new Map() };
      this.#kept.set(worker, kept);
    }
    return kept;
  }
}
