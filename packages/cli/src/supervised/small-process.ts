import type { Clock, Timer } from '@rollcall/runtime';

/** Versions of Node.js whose V8 is known to take the flags; another one would refuse to start. */
const KNOWN_MAJORS: readonly number[] = [24, 25, 26];

/**
 * For a process that waits for days and computes nothing: no compilers, a small young generation, and collecting
 * garbage when told to. Nothing that such a process runs may import undici, which needs WebAssembly; and so does
 * Node.js, to run TypeScript.
 */
const SMALL: readonly string[] = [
  ...(import.meta.filename.endsWith('.ts')
    ? ['--no-opt', '--no-maglev', '--no-sparkplug', '--liftoff-only']
    : ['--lite-mode']),
  '--max-semi-space-size=1',
  '--expose-gc',
];

/** How often garbage is collected, in ms. V8 itself would wait until there are megabytes of it. */
const COLLECT_EVERY_MS = 20_000;

/** The parts of this process that count here. */
export interface Restartable extends Pick<
  NodeJS.Process,
  'argv' | 'env' | 'execArgv' | 'execPath' | 'versions'
> {
  readonly execve?: NodeJS.Process['execve'] | undefined;
  /** Whether it has a channel to a parent Node.js process. */
  readonly connected?: boolean | undefined;
}

/**
 * Starts this program again in the same process, with the flags for little memory, which V8 reads only when it starts.
 * Does nothing where that is not possible, or was done already.
 */
export function restartSmall(self: Restartable = process): void {
  const { argv, env, execArgv, execPath, execve, versions } = self;
  const isKnown = KNOWN_MAJORS.includes(Number.parseInt(versions.node, 10));
  // The channel of a parent Node.js process would not survive.
  const hasChannel = self.connected === true;
  if (!isKnown || hasChannel || execve === undefined || execArgv.includes(SMALL[0]!)) return;
  try {
    execve(execPath, [execPath, ...execArgv, ...SMALL, ...argv.slice(1)], env);
  } catch {
    // Not on this system: it needs more memory, and works all the same.
  }
}

/** Node.js's `gc`, as it is used here. */
type Collect = (options: NodeJS.GCOptions) => unknown;

/** Frees what the start left behind, and then what gathers over time, if the process was started for that. */
export function keepSmall(
  clock: Pick<Clock, 'every'>,
  collect: Collect | undefined = globalThis.gc,
): Timer | undefined {
  if (collect === undefined) return undefined;
  const now = () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  now();
  return clock.every(COLLECT_EVERY_MS, now);
}
