import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from '../support/cpu.ts';
import type { RegistryProcess } from '../support/registry.ts';
import { quantile } from '../support/statistics.ts';
import { RollWriter } from './roll-writer.ts';
import { Watchers } from './watchers.ts';

const SERVICE = 'orders';
const INSTANCE = 'orders-0';

/** Pause between two changes, so that each is measured alone, in ms. */
const PAUSE_MS = 40;

/** Results of many changes, each in ms. */
export interface FanOut {
  readonly watchers: number;
  /** Time from sending the change to its arrival at the first watcher, and at the last. */
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** The longest time that the server's event loop was blocked around each change. */
  readonly block: readonly number[];
  /** The most processor time of one turn of the loop: the part that the server itself causes. */
  readonly busy: readonly number[];
  /** Processor time of the server per change. */
  readonly cpuMs: number;
}

/** Opens `watchers` watchers on a server that runs the loop probe, and makes `changes` changes. */
export async function fanOut(
  { port, process: server }: RegistryProcess,
  watchers: number,
  changes: number,
): Promise<FanOut> {
  const writer = await RollWriter.open(port, SERVICE);
  await writer.register(INSTANCE);
  const streams = new Watchers(port, SERVICE);
  await streams.open(watchers);
  const probe = loopProbe(server);
  const one = async (weight: number) => {
    await probe();
    const arrival = streams.nextChange();
    const startMs = performance.now();
    await Promise.all([writer.setWeight(INSTANCE, weight), arrival]);
    const { firstMs, lastMs } = await arrival;
    await sleep(PAUSE_MS);
    return { first: firstMs - startMs, last: lastMs - startMs, ...(await probe()) };
  };
  const weightOf = (change: number) => 1 + (change % 1_000);
  for (let change = 0; change < 5; change++) await one(weightOf(500 + change));
  const cpuBefore = cpuMsOf(server.pid);
  const all: Awaited<ReturnType<typeof one>>[] = [];
  for (let change = 0; change < changes; change++) all.push(await one(weightOf(change)));
  const cpuMs = (cpuMsOf(server.pid) - cpuBefore) / changes;
  streams.close();
  writer.close();
  return {
    watchers,
    first: all.map(({ first }) => first),
    last: all.map(({ last }) => last),
    block: all.map(({ block }) => block),
    busy: all.map(({ busy }) => busy),
    cpuMs,
  };
}

const reports = new WeakMap<object, number>();

/** Asks the loop probe for the longest block since the last report, in wall-clock time and in processor time, in ms. */
function loopProbe(
  server: RegistryProcess['process'],
): () => Promise<{ block: number; busy: number }> {
  return async () => {
    const report = (reports.get(server) ?? 0) + 1;
    reports.set(server, report);
    server.child.kill('SIGUSR2');
    const pattern = new RegExp(`loop-block ${report} (\\S+) (\\S+)\n`);
    const [, block, busy] = await server.printed(pattern);
    return { block: Number(block), busy: Number(busy) };
  };
}

/** p50, p99 and the maximum, for a table. */
export function quantiles(values: readonly number[]): string {
  return [0.5, 0.99, 1].map((ratio) => quantile(values, ratio).toFixed(1)).join(' / ');
}
