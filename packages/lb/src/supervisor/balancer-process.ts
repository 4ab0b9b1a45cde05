import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { SocketHandle } from '@rollcall/dataplane';
import {
  type FromSupervisor,
  SUPERVISED_VARIABLE,
  type SupervisedStart,
  type ToSupervisor,
} from './messages.ts';

/** How a process has ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The program to run: script and words of the command line. */
export interface Command {
  readonly script: string;
  readonly words: readonly string[];
}

export interface BalancerProcessParts {
  readonly command: Command;
  readonly start: SupervisedStart;
  readonly onMessage: (from: BalancerProcess, message: ToSupervisor) => void;
}

/** A balancer, as its supervisor sees it. */
export class BalancerProcess {
  readonly ended: Promise<ProcessEnd>;
  /** It takes requests, or has done so. */
  hasServed = false;
  /** It has been asked to end. */
  isLeaving = false;
  readonly #child: ChildProcess;

  constructor({ command, start, onMessage }: BalancerProcessParts) {
    this.#child = fork(command.script, [...command.words], {
      serialization: 'advanced',
      env: { ...process.env, [SUPERVISED_VARIABLE]: JSON.stringify(start) },
    });
    this.#child.on('message', (message: ToSupervisor) => onMessage(this, message));
    this.ended = this.#awaitEnd();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell(message: FromSupervisor, socket?: SocketHandle): void {
    // The handle is one that Node.js sends, though its types do not say so.
    if (this.#child.connected) this.#child.send(message, socket as never, () => {});
  }

  signal(signal: 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  async #awaitEnd(): Promise<ProcessEnd> {
    const failed = Promise.withResolvers<ProcessEnd>();
    // It could not be started, or not be told something; in the second case it ends or goes on by itself.
    this.#child.on('error', () => {
      if (this.#child.pid === undefined) failed.resolve({ code: 1, signal: null });
    });
    const exited = once(this.#child, 'exit').then(([code, signal]): ProcessEnd => {
      return { code: code as number | null, signal: signal as string | null };
    });
    return Promise.race([exited, failed.promise]);
  }
}

/** In words. */
export function describeEnd({ code, signal }: ProcessEnd): string {
  return signal ?? `exit code ${code}`;
}
