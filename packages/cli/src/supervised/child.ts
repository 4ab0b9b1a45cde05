import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Clock, sleep } from '@rollcall/runtime';

/** Exit code of a process that was ended by a signal: this plus the signal's number, as in shells. */
const BY_SIGNAL = 128;
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** The command's process and its result. It never outlives this process, unless this process is killed. */
export class Child {
  /** Exit code of the process, or the one for its signal. */
  readonly ended: Promise<number>;
  /** Aborted when the process has ended. */
  readonly signal: AbortSignal;
  /** Why it could not be started; empty = it was started. */
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

  /** Sends SIGTERM, and SIGKILL if the process has not ended within `graceMs`. Resolves with its exit code. */
  async terminate(clock: Clock, graceMs: number): Promise<number> {
    this.#process.kill('SIGTERM');
    await sleep(clock, graceMs, this.signal);
    if (!this.hasEnded) this.#process.kill('SIGKILL');
    return this.ended;
  }
}
