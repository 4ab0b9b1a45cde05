import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { TestProcess } from '@rollcall/testkit';

/** The core reserved for the process under test, and the core for everything else. */
export const CORE = { tested: 0, rest: 1 } as const;

/** Whether this machine can pin processes to cores. */
export const canPin: boolean =
  cpus().length > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** Pins a running process, and the processes that it starts later, to a core. */
export function pinProcess(pid: number, core: number): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}

/** Words before a command that let it run on every core, although this process is pinned. */
export const ANYWHERE: readonly string[] = canPin
  ? ['taskset', '-c', `0-${cpus().length - 1}`]
  : [];

/** Starts a program, pinned to a core if possible. */
export function startPinned(core: number, command: string, args: readonly string[]): TestProcess {
  return canPin
    ? new TestProcess('taskset', ['-c', String(core), command, ...args])
    : new TestProcess(command, args);
}

/** Starts a Node.js program from TypeScript source, pinned to a core if possible. */
export function startPinnedNode(
  core: number,
  file: string,
  args: readonly string[] = [],
): TestProcess {
  return startPinned(core, process.execPath, ['--conditions=@rollcall/source', file, ...args]);
}
