import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { busyMsOf, cpuMsOf } from '../support/cpu.ts';
import { CORE, canPin } from '../support/placement.ts';
import type { Sample } from '../support/rounds.ts';
import type { NameServer } from './name-servers.ts';

const run = promisify(execFile);
/** Number of sockets, and of queries in progress on all of them together. */
const CLIENTS = 8;
const OUTSTANDING = 100;

/** Sends queries as fast as the server answers, for `seconds`; dnsperf runs on the core of this process. */
export async function perfSample(
  { name, port, pid }: NameServer,
  queries: string,
  seconds: number,
): Promise<Sample> {
  const flags = { s: '127.0.0.1', p: port, d: queries, l: seconds, c: CLIENTS, q: OUTSTANDING };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`-${flag}`, String(value)]);
  const before = { atMs: performance.now(), cpu: cpuMsOf(pid), busy: busyMsOf(CORE.tested) };
  const { stdout } = await run('dnsperf', args);
  const elapsed = performance.now() - before.atMs;
  const own = cpuMsOf(pid) - before.cpu;
  const [, completed] = /Queries completed: +(\d+)/.exec(stdout) ?? [];
  const [, perSecond] = /Queries per second: +([\d.]+)/.exec(stdout) ?? [];
  const [, good] = /NOERROR (\d+)/.exec(stdout) ?? [];
  if (completed === undefined || good !== completed) throw new Error(`${name}:\n${stdout}`);
  const foreign = (busyMsOf(CORE.tested) - before.busy - own) / elapsed;
  return {
    perSecond: Number(perSecond),
    cpuUs: (own * 1e3) / Number(completed),
    otherUs: {},
    used: own / elapsed,
    foreign: [canPin ? Math.max(0, foreign) : Number.NaN, Number.NaN],
  };
}
