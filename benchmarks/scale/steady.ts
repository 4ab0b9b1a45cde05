import { setTimeout as sleep } from 'node:timers/promises';
import { quantile, short } from '../support/statistics.ts';
import { say } from '../support/table.ts';
import {
  cpuPercent,
  type Footprint,
  footprintOf,
  type RedisFigures,
  redisFigures,
} from './footprint.ts';
import type { BeatFigures } from './keeper.ts';
import type { Scene } from './scene.ts';
import { addTally, emptyTally, type Tally } from './tally.ts';
import type { WatchingFigures } from './watching.ts';

/** Measurements between two moments. */
export interface Span {
  readonly seconds: number;
  /** Share of a core by process, in percent. */
  readonly cpu: Readonly<Record<string, number>>;
  readonly rssMb: Readonly<Record<string, number>>;
  readonly beats: BeatFigures;
  readonly watching: WatchingFigures;
  readonly evicted: number;
  /** Kept by the guard: silent, but still on the roll. */
  readonly guarded: number;
  /** As counted by the servers. */
  readonly refusedByServers: number;
  readonly redisMb: number;
  readonly redisOps: number;
}

interface Moment {
  readonly footprint: Footprint;
  readonly redis: RedisFigures;
  readonly counts: { readonly expired: number; readonly guarded: number; readonly refused: number };
}

/** Measures the scene for the time in the settings and prints a line per interval; returns the total. */
export async function runSteady(scene: Scene): Promise<Span> {
  const { seconds, every } = scene.settings;
  await takeAll(scene);
  const first = await momentOf(scene);
  const beats = { batches: emptyTally(), singles: emptyTally(), renewed: 0, lost: 0 };
  const watching = {
    arrivals: [] as number[],
    calls: emptyTally(),
    missing: 0,
    refused: 0,
    ended: 0,
  };
  let last = first;
  for (let passed = 0; passed < seconds; passed += every) {
    const untilMs = first.footprint.atMs + Math.min(seconds, passed + every) * 1_000;
    await sleep(Math.max(0, untilMs - performance.now()));
    const taken = await takeAll(scene);
    const now = await momentOf(scene);
    say(lineOf(Math.min(seconds, passed + every), spanOf(last, now, taken)));
    last = now;
    addBeats(beats, taken.beats);
    addWatching(watching, taken.watching);
  }
  say();
  return spanOf(first, last, { beats, watching });
}

async function takeAll({ keepers, watching }: Scene) {
  const ask = { ask: 'figures' };
  return {
    beats: await keepers.ask<BeatFigures>(ask),
    watching: await watching.ask<WatchingFigures>(ask),
  };
}

async function momentOf({ pids, servers, redis }: Scene): Promise<Moment> {
  const counts = { expired: 0, guarded: 0, refused: 0 };
  for (const server of servers) {
    const own = await server.counts();
    counts.expired += own.expired;
    counts.guarded += own.guarded;
    counts.refused += own.refused;
  }
  return { footprint: footprintOf(pids), redis: await redisFigures(redis.port), counts };
}

function spanOf(
  from: Moment,
  to: Moment,
  taken: { readonly beats: BeatFigures; readonly watching: WatchingFigures },
): Span {
  const seconds = (to.footprint.atMs - from.footprint.atMs) / 1_000;
  const redisSeconds = (to.redis.atMs - from.redis.atMs) / 1_000;
  return {
    ...taken,
    seconds,
    cpu: cpuPercent(from.footprint, to.footprint),
    rssMb: to.footprint.rssMb,
    evicted: to.counts.expired - from.counts.expired,
    guarded: to.counts.guarded - from.counts.guarded,
    refusedByServers: to.counts.refused - from.counts.refused,
    redisMb: to.redis.usedMb,
    redisOps: (to.redis.commands - from.redis.commands) / redisSeconds,
  };
}

function addBeats(to: { -readonly [K in keyof BeatFigures]: BeatFigures[K] }, more: BeatFigures) {
  addTally(to.batches, more.batches);
  addTally(to.singles, more.singles);
  to.renewed += more.renewed;
  to.lost += more.lost;
}

function addWatching(
  to: { -readonly [K in keyof WatchingFigures]: WatchingFigures[K] },
  more: WatchingFigures,
): void {
  for (const time of more.arrivals) to.arrivals.push(time);
  addTally(to.calls, more.calls);
  to.missing += more.missing;
  to.refused += more.refused;
  to.ended += more.ended;
}

/** All calls of a span. */
function talliesOf({ beats, watching }: Span): Tally[] {
  return [beats.batches, beats.singles, watching.calls];
}

/** Number of refusals that clients got. */
export function refusedOf(span: Span): number {
  return talliesOf(span).reduce((sum, { refused }) => sum + refused, span.watching.refused);
}

/** Number of failures: failed calls, ended streams, changes that did not arrive, lost leases. */
export function errorsOf(span: Span): number {
  const { beats, watching } = span;
  const calls = talliesOf(span).reduce((sum, { errors }) => sum + errors, 0);
  return calls + watching.ended + watching.missing + beats.lost;
}

/** The quantiles of the times at the given ratios, e.g. `2.1 / 9.8`. */
export function shares(times: readonly number[], ratios: readonly number[]): string {
  return ratios.map((ratio) => quantile(times, ratio).toFixed(1)).join(' / ');
}

function lineOf(atSeconds: number, span: Span): string {
  const { seconds, cpu, rssMb, beats, watching } = span;
  const list = (values: Readonly<Record<string, number>>) =>
    Object.values(values)
      .map((value) => value.toFixed(0))
      .join('/');
  return [
    `${String(atSeconds).padStart(5)} s: CPU % ${list(cpu)}`,
    `RSS MB ${list(rssMb)}`,
    `${short(beats.renewed / seconds)} renewals/s`,
    `batch ${shares(beats.batches.times, [0.5, 0.99])} ms`,
    `single ${shares(beats.singles.times, [0.5, 0.99])} ms`,
    `to watchers ${shares(watching.arrivals, [0.5, 0.99, 1])} ms`,
    `evicted ${span.evicted}, refused ${refusedOf(span)}, errors ${errorsOf(span)}`,
    `Redis ${span.redisMb.toFixed(0)} MB, ${short(span.redisOps)} ops/s`,
  ].join('; ');
}
