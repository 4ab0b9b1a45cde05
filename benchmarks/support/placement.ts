import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { TestProcess } from '@rollcall/testkit';

/** The core that the thing under test has for itself, and the one for all that surrounds it. */
export const CORE = { tested: 0, rest: 1 } as const;

/** Whether processes can be bound to cores here. */
export const canPin: boolean =
  cpus().length > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** Binds a process that runs, and with it all that it starts from now on, to a core. */
export function pinProcess(pid: number, core: number): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
}

/** Starts a program, bound to a core where that is possible. */
export function startPinned(core: number, command: string, args: readonly string[]): TestProcess {
  return canPin
    ? new TestProcess('taskset', ['-c', String(core), command, ...args])
    : new TestProcess(command, args);
}

/** Starts a Node.js program from TypeScript source, bound to a core where that is possible. */
export function startPinnedNode(
  core: number,
  file: string,
  args: readonly string[] = [],
): TestProcess {
  return startPinned(core, process.execPath, ['--conditions=@rollcall/source', file, ...args]);
}
