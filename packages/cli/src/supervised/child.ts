import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Clock, sleep } from '@rollcall/runtime';

/** Exit code of a process that a signal ended is this and the signal's number, as shells have it. */
const BY_SIGNAL = 128;
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** The command's process and how it ended. It never outlives this one, unless this one is killed. */
export class Child {
  /** Exit code, or that of the signal. */
  readonly ended: Promise<number>;
  /** Aborted when it has ended. */
  readonly signal: AbortSignal;
  /** Why it could not be started; empty = it was. */
  failure = '';
  readonly #process: ChildProcess;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const [file = '', ...rest] = command;
    const over = new AbortController();
    this.signal = over.signal;
    this.#process = spawn(file, rest, { env, stdio: 'inherit' });
    const kill = () => void this.#process.kill('SIGKILL');
    process.once('exit', kill);
    this.ended = new Promise<number>((resolve) => {
      this.#process.once('error', (error: NodeJS.ErrnoException) => {
        this.failure = error.code === 'ENOENT' ? `${file}: command not found` : error.message;
        resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE);
      });
      this.#process.once('exit', (code, signal) => {
        resolve(code ?? BY_SIGNAL + constants.signals[signal ?? 'SIGKILL']);
      });
    }).finally(() => {
      process.off('exit', kill);
      over.abort();
    });
  }

  get hasEnded(): boolean {
    return this.signal.aborted;
  }

  /** SIGTERM, and SIGKILL when it has not ended within `graceMs`. Resolves with its exit code. */
  async end(clock: Clock, graceMs: number): Promise<number> {
    this.#process.kill('SIGTERM');
    await sleep(clock, graceMs, this.signal);
    if (!this.hasEnded) this.#process.kill('SIGKILL');
    return this.ended;
  }
}
