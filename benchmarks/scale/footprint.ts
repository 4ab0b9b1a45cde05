import { readFileSync } from 'node:fs';
import { redisCommand } from '@rollcall/testkit';
import { cpuMsOf } from '../support/cpu.ts';

/** Resident memory of a process, in MB (10^6 bytes); NaN if the system does not report it. */
export function rssMbOf(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return (Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1_024) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** Processor time and memory of processes at one moment. */
export interface Footprint {
  readonly atMs: number;
  readonly cpuMs: Readonly<Record<string, number>>;
  readonly rssMb: Readonly<Record<string, number>>;
}

/** The footprint of processes by name; several process ids with one name are added up. */
export function footprintOf(pids: Readonly<Record<string, readonly number[]>>): Footprint {
  const sum = (of: (pid: number) => number) =>
    Object.fromEntries(
      Object.entries(pids).map(([name, own]) => [name, own.reduce((all, pid) => all + of(pid), 0)]),
    );
  return { atMs: performance.now(), cpuMs: sum(cpuMsOf), rssMb: sum(rssMbOf) };
}

/** Share of one core that each process used between two moments, in percent. */
export function cpuPercent(from: Footprint, to: Footprint): Record<string, number> {
  const passedMs = to.atMs - from.atMs;
  return Object.fromEntries(
    Object.entries(to.cpuMs).map(([name, ms]) => [
      name,
      ((ms - (from.cpuMs[name] ?? 0)) / passedMs) * 100,
    ]),
  );
}

/** Figures that Redis reports about itself. */
export interface RedisFigures {
  readonly atMs: number;
  readonly commands: number;
  readonly usedMb: number;
}

export async function redisFigures(port: number): Promise<RedisFigures> {
  const info =
    (await redisCommand(port, 'INFO', 'memory')) + (await redisCommand(port, 'INFO', 'stats'));
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return {
    atMs: performance.now(),
    commands: field('total_commands_processed'),
    usedMb: field('used_memory') / 1e6,
  };
}

const PARTS = ['instances', 'leases', 'holders', 'log'] as const;

/** Size of the largest keys of the roll, in bytes. */
export async function redisParts(port: number): Promise<Record<(typeof PARTS)[number], number>> {
  const sizes = PARTS.map(async (part) => {
    const reply = await redisCommand(
      port,
      'MEMORY',
      'USAGE',
      `rollcall:{0}:${part}`,
      'SAMPLES',
      '1000',
    );
    return [part, Number(reply.replaceAll(/\D/g, ''))] as const;
  });
  return Object.fromEntries(await Promise.all(sizes)) as Record<(typeof PARTS)[number], number>;
}
