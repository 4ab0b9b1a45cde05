import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../support/table.ts';
import { cpuPercent, footprintOf, redisFigures, redisParts, rssMbOf } from './footprint.ts';
import type { Scene } from './scene.ts';
import { Server } from './server.ts';
import { shares } from './steady.ts';

/** How long a process is left alone before its memory is measured, in ms. */
const SETTLE_MS = 5_000;

/** Registers all instances, and prints how long that took and the memory used in Redis. */
export async function fillRoll({ keepers, redis, settings, pids }: Scene): Promise<void> {
  const before = await redisFigures(redis.port);
  const cpuBefore = footprintOf(pids);
  const filled = await keepers.ask<{
    ms: number;
    times: number[];
    refused: number;
    errors: number;
  }>({
    ask: 'fill',
  });
  const after = await redisFigures(redis.port);
  const { instances } = settings;
  const cpu = Object.entries(cpuPercent(cpuBefore, footprintOf(pids))).map(
    ([name, percent]) => `${name} ${percent.toFixed(0)}`,
  );
  say(
    `Registered ${instances} in ${(filled.ms / 1_000).toFixed(1)} s: ${((instances / filled.ms) * 1e3).toFixed(0)} a second, ` +
      `p50 / p99 / largest ${shares(filled.times, [0.5, 0.99, 1])} ms; refused ${filled.refused}, errors ${filled.errors}; CPU %: ${cpu.join(', ')}.`,
  );
  const parts = Object.entries(await redisParts(redis.port)).map(
    ([part, bytes]) => `${part} ${(bytes / 1e6).toFixed(1)}`,
  );
  say(
    `Redis took ${(after.usedMb - before.usedMb).toFixed(1)} MB for them, ` +
      `${(((after.usedMb - before.usedMb) * 1e6) / instances).toFixed(0)} bytes each, its log included; in MB: ${parts.join(', ')}.\n`,
  );
}

/** Start time and memory of a third server. */
export interface Joined {
  readonly server: Server;
  readonly readyMs: number;
  /** When /readyz answers; `settledMb`: a few seconds later. */
  readonly rssMb: number;
  readonly settledMb: number;
}

/** Starts one more server while the others are under load. */
export async function joinServer({ redis }: Scene): Promise<Joined> {
  const server = await Server.start('registry 3', redis.url);
  const rssMb = rssMbOf(server.pid);
  await sleep(SETTLE_MS);
  const settledMb = rssMbOf(server.pid);
  const { heapMb } = await server.counts();
  say(
    `A third server was ready after ${(server.readyMs / 1_000).toFixed(2)} s with ${rssMb.toFixed(0)} MB; ` +
      `${settledMb.toFixed(0)} MB ${SETTLE_MS / 1_000} s later, at most ${rssMbOf(server.pid, 'VmHWM').toFixed(0)} MB in between; heap in use ${heapMb.toFixed(0)} MB.\n`,
  );
  return { server, readyMs: server.readyMs, rssMb, settledMb };
}

/** The cost of very many watchers for a server. */
export interface CrowdFigures {
  readonly beforeMb: number;
  readonly afterMb: number;
  /** Times from a change to the last watcher, in ms. */
  readonly times: readonly number[];
}

/** Connects the crowd to a server and makes a few changes. */
export async function meetCrowd(
  { watching, settings }: Scene,
  server: Server,
): Promise<CrowdFigures> {
  const beforeMb = rssMbOf(server.pid);
  const opened = await watching.ask<{ ms: number; refused: number; ended: number }>({
    ask: 'crowdOpen',
    port: server.port,
  });
  await sleep(SETTLE_MS);
  const afterMb = rssMbOf(server.pid);
  const times = await watching.ask<number[]>({ ask: 'crowdChange' });
  const { parked, dropped } = await server.counts();
  say(
    `${settings.crowd} watch streams connected to it in ${(opened.ms / 1_000).toFixed(1)} s ` +
      `(refused ${opened.refused}, ended ${opened.ended}): ${beforeMb.toFixed(0)} MB before, ${afterMb.toFixed(0)} MB after, ` +
      `at most ${rssMbOf(server.pid, 'VmHWM').toFixed(0)} MB; parked ${parked}, dropped ${dropped}.`,
  );
  say(`From a change to the last of them, p50 / largest: ${shares(times, [0.5, 1])} ms.\n`);
  await watching.ask({ ask: 'crowdClose' });
  return { beforeMb, afterMb, times };
}
