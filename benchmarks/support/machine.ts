import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { canPin } from './placement.ts';
import { say } from './table.ts';

/** First line of a program's version output; undefined when it is not installed. */
export function versionOf(
  command: string,
  args: readonly string[] = ['--version'],
): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0]?.trim() : undefined;
}

function distribution(): string {
  try {
    return (
      /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform
    );
  } catch {
    return process.platform;
  }
}

/** Prints the machine on which the figures are measured. */
export function sayMachine(others: readonly (string | undefined)[] = []): void {
  const cores = cpus();
  const parts = [
    `${cores.length} x ${cores[0]?.model ?? 'unknown processor'}`,
    `${distribution()}, Linux ${release()}`,
    `Node.js ${process.version}`,
    ...others.filter((one) => one !== undefined),
    canPin ? 'cores pinned' : 'cores NOT pinned: figures of two programs mix',
    `load ${loadavg()[0]?.toFixed(2)} at the start`,
    new Date().toISOString().slice(0, 16),
  ];
  say(parts.join('; '));
  say();
}
