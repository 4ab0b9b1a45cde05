import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { canPin } from './placement.ts';

const running = new Set<ChildProcess>();
let isMinded = false;

/** Ends the workers with this process. One listener for all: a benchmark may have dozens of them. */
function mind(child: ChildProcess): void {
  if (!isMinded) process.once('exit', () => running.forEach((one) => one.kill('SIGKILL')));
  isMinded = true;
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/**
 * A Node.js program, pinned to a core, that answers messages one at a time. Its first message says that it is ready.
 */
export class Worker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** `nodeOptions`: of Node.js itself, in addition to those of this process. */
  static async start(
    core: number,
    file: string,
    args: readonly string[],
    nodeOptions: readonly string[] = [],
  ): Promise<Worker> {
    const command = [process.execPath, ...process.execArgv, ...nodeOptions, file, ...args];
    const [program = '', ...rest] = canPin ? ['taskset', '-c', String(core), ...command] : command;
    const child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    mind(child);
    const worker = new Worker(child);
    await worker.#answer();
    return worker;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Sends a message and waits for the answer. Rejects when the program ends. */
  async ask<T>(message: object): Promise<T> {
    const answer = this.#answer();
    this.#child.send(message);
    return (await answer) as T;
  }

  /** Ends the program, and waits for its end. */
  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #answer(): Promise<unknown> {
    const given = new AbortController();
    const { signal } = given;
    try {
      const message = once(this.#child, 'message', { signal });
      const ended = once(this.#child, 'exit', { signal }).then(() => {
        throw new Error('a worker of the benchmark ended');
      });
      const [answer] = (await Promise.race([message, ended])) as unknown[];
      return answer;
    } finally {
      given.abort();
    }
  }
}
