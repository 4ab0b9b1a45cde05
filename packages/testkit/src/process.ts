import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from './until.ts';

export interface StartProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A command prefix to run it with, such as `ip netns exec NAME`. @default none */
  readonly within?: readonly string[];
  /** Descriptors of this process that it gets as 3 and onwards. @default none */
  readonly passes?: readonly number[];
  /** Called for each complete line of its output. */
  readonly onLine?: (line: string) => void;
}

/** Length of the output that is kept, in characters. */
const OUTPUT_LENGTH = 1_000_000;

/** Processes that would outlive this one. */
const running = new Set<ChildProcess>();
let isMinded = false;

/** A child process of a test: its output is kept, and it never outlives the test process. */
export class TestProcess {
  readonly child: ChildProcess;
  #output = '';

  constructor(
    command: string,
    args: readonly string[],
    { env, cwd, onLine, within = [], passes = [] }: StartProcessOptions = {},
  ) {
    const [program = command, ...words] = [...within, command, ...args];
    this.child = spawn(program, words, {
      stdio: ['ignore', 'pipe', 'pipe', ...passes],
      env: { ...process.env, ...env },
      cwd,
    });
    const keep = (chunk: Buffer) => {
      const output = this.#output + chunk.toString();
      this.#output = output.length > 2 * OUTPUT_LENGTH ? output.slice(-OUTPUT_LENGTH) : output;
    };
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    if (onLine !== undefined && this.child.stdout !== null)
      createInterface(this.child.stdout).on('line', onLine);
    if (!isMinded) process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));
    isMinded = true;
    running.add(this.child);
    this.child.once('exit', () => running.delete(this.child));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** Its output, at least the last million characters. */
  get output(): string {
    return this.#output;
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits until its output matches; returns the match. */
  async printed(pattern: RegExp, withinMs = 60_000): Promise<RegExpExecArray> {
    return until(
      () => {
        const match = pattern.exec(this.#output);
        if (match !== null) return match;
        if (this.hasExited) throw new Error(`it ended:\n${this.#output}`);
        return undefined;
      },
      { withinMs, what: `${pattern} in the output:\n${this.#output}` },
    );
  }

  /** Sends a signal, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends a signal and waits for the end; returns the exit code, or the signal's name. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (!this.hasExited) {
      const exited = once(this.child, 'exit');
      this.child.kill(signal);
      await exited;
    }
    return this.child.exitCode ?? this.child.signalCode ?? 'unknown';
  }
}

/** Starts a Node.js program from TypeScript source, as in this workspace. */
export function startNode(
  file: string,
  args: readonly string[] = [],
  options: StartProcessOptions = {},
): TestProcess {
  return new TestProcess(
    process.execPath,
    ['--conditions=@rollcall/source', file, ...args],
    options,
  );
}
