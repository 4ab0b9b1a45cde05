import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rollcall } from '@rollcall/client-sdk';
import { startTestServer } from '@rollcall/registry-server/testing';
import { until } from '@rollcall/testkit';
import { type Way, waysOf } from './callers.ts';
import { Fleet } from './fleet.ts';

export interface RollingOptions {
  /** How many calls to make, at least. */
  readonly calls: number;
  readonly instances: number;
  /** Callers of each way at the same time. */
  readonly concurrency: number;
  /** Longest time that an instance works on a call, in ms. */
  readonly workMs: number;
  /** Whether the instances leave as most programs do; then only HTTP/1.1 is called. */
  readonly isPlain: boolean;
  /** Whether somebody watches who promises to acknowledge, and never does: then each drain takes its full time. */
  readonly hasSilentWatcher?: boolean;
  readonly print?: (line: string) => void;
}

export interface RollingReport {
  /** Calls by their way. */
  readonly calls: Readonly<Record<string, number>>;
  readonly total: number;
  readonly failed: readonly string[];
  /** Ids that were served more than once. */
  readonly doubled: readonly string[];
  /** Ids that were answered, and that no instance served. */
  readonly unserved: readonly string[];
  /** How many instances were replaced. */
  readonly replaced: number;
  readonly leavesMs: readonly number[];
  /** Connections that were cut off. */
  readonly cutOff: number;
}

/** Replaces instances one after another while every way of calling calls them, and compares the ledgers of both sides. */
export async function roll(options: RollingOptions): Promise<RollingReport> {
  const folder = mkdtempSync(join(tmpdir(), 'rolling-'));
  const registry = await startTestServer();
  const rollcall = new Rollcall({ url: registry.url });
  const fleet = new Fleet({ registry: registry.url, folder, ...options });
  const ending = new AbortController();
  try {
    if (options.hasSilentWatcher === true) watchSilently(registry.url, ending.signal);
    return await rollWith(fleet, rollcall, options);
  } finally {
    ending.abort();
    await fleet.end();
    await rollcall.close();
    await registry.close();
    rmSync(folder, { recursive: true });
  }
}

/** Reads what it is told, and does nothing about it. */
function watchSilently(registry: string, signal: AbortSignal): void {
  const watching = fetch(`${registry}/v1/watch?service=orders&acks=1`, { signal });
  watching.then(({ body }) => body!.pipeTo(new WritableStream())).catch(() => {});
}

async function rollWith(
  fleet: Fleet,
  rollcall: Rollcall,
  { calls, instances, concurrency, isPlain, print }: RollingOptions,
): Promise<RollingReport> {
  await fleet.grow(instances);
  const ways = waysOf(rollcall).filter(({ name }) => !isPlain || name.startsWith('HTTP/1.1'));
  const orders = rollcall.service('orders');
  await until(() => orders.endpoints().length === instances);
  const load = new Load(ways, concurrency);
  let replaced = 0;
  while (load.total < calls) {
    await fleet.replaceOldest();
    replaced++;
    print?.(`${load.total} calls, ${load.failed.length} failed, ${replaced} replaced`);
  }
  await load.end();
  await fleet.end();
  const served = fleet.served();
  const seen = new Set<string>();
  const doubled = served.filter((id) => seen.size === seen.add(id).size);
  const unserved = load.answered.filter((id) => !seen.has(id));
  const { leavesMs, cutOff } = fleet;
  const { total, failed, counts } = load;
  return { calls: counts, total, failed, doubled, unserved, replaced, leavesMs, cutOff };
}

/** Calls without a pause until it is ended. */
class Load {
  readonly failed: string[] = [];
  /** Ids of the calls that were answered. */
  readonly answered: string[] = [];
  readonly counts: Record<string, number> = {};
  readonly #ways: readonly Way[];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor(ways: readonly Way[], concurrency: number) {
    this.#ways = ways;
    this.#running = Promise.all(
      ways.flatMap((way) => {
        // A WebSocket carries one message after another.
        const count = way.name === 'WebSocket' ? 1 : concurrency;
        return Array.from({ length: count }, (_, i) => this.#run(way, i));
      }),
    );
  }

  get total(): number {
    return this.answered.length + this.failed.length;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    for (const way of this.#ways) way.close();
  }

  async #run(way: Way, caller: number): Promise<void> {
    for (let n = 0; !this.#stop.signal.aborted; n++) {
      const id = `${way.name} ${caller} ${n}`;
      try {
        await way.call(id);
        this.answered.push(id);
        this.counts[way.name] = (this.counts[way.name] ?? 0) + 1;
      } catch (error) {
        this.failed.push(`${id}: ${String(error)}`);
      }
    }
  }
}
