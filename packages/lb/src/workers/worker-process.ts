import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { StartError } from '@rollcall/daemon';
import type { SocketHandle } from '@rollcall/dataplane';
import { ChangeRefused } from '../config/change-refused.ts';
import {
  type FromWorker,
  type Question,
  type Questions,
  type ToWorker,
  WORKER_VARIABLE,
  type WorkerStart,
} from './messages.ts';

const IS_SOURCE = import.meta.url.endsWith('.ts');
const MAIN = new URL(IS_SOURCE ? '../worker-main.ts' : '../worker-main.js', import.meta.url);
const SOURCE_CONDITION = '--conditions=@rollcall/source';

/** The process has ended, and takes its answers with it. */
export class WorkerGone extends Error {
  override readonly name = 'WorkerGone';
}

/** What a worker tells without being asked. */
export type WorkerNews = Extract<FromWorker, { kind: 'used' | 'noted' }>;

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** A process that carries requests, as its parent sees it. */
export class WorkerProcess {
  /** Resolves when it has ended, with the reason in words. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onNews: (message: WorkerNews) => void;
  readonly #started = Promise.withResolvers<void>();
  #lastId = 0;
  #isGone = false;

  constructor(start: WorkerStart, onNews: (message: WorkerNews) => void) {
    this.#onNews = onNews;
    this.#child = fork(fileURLToPath(MAIN), [], {
      serialization: 'advanced',
      execArgv: argumentsOf(process.execArgv),
      env: { ...process.env, [WORKER_VARIABLE]: JSON.stringify(start) },
    });
    this.#child.on('message', (message: FromWorker) => this.#onMessage(message));
    // What could not be sent is missed when no answer comes; the end of the process has an event of its own.
    this.#child.on('error', () => {});
    this.#started.promise.catch(() => {});
    this.ended = this.#awaitEnd();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when it takes messages. @throws WorkerGone */
  started(): Promise<void> {
    return this.#started.promise;
  }

  /** @throws WorkerGone, or the error of the worker. */
  ask<Q extends Question>(
    question: Q,
    given: Questions[Q]['given'],
  ): Promise<Questions[Q]['answer']> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Questions[Q]['answer']>();
    if (this.#isGone) reject(new WorkerGone('the worker has ended'));
    this.#waiting.set(id, { resolve, reject });
    this.tell({ kind: 'ask', id, question, given } as ToWorker);
    return promise;
  }

  tell(message: ToWorker, socket?: SocketHandle): void {
    if (this.#isGone || !this.#child.connected) return;
    // The handle is one that Node.js sends, though its types do not say so.
    this.#child.send(message, socket as never, () => {});
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #awaitEnd(): Promise<string> {
    const [code, signal] = (await Promise.race([
      once(this.#child, 'exit'),
      once(this.#child, 'error').then(([error]) => [(error as Error).message, null]),
    ])) as [number | string, string | null];
    this.#isGone = true;
    const gone = new WorkerGone('the worker has ended');
    this.#started.reject(gone);
    for (const waiting of this.#waiting.values()) waiting.reject(gone);
    this.#waiting.clear();
    return signal ?? (typeof code === 'number' ? `exit code ${code}` : code);
  }

  #onMessage(message: FromWorker): void {
    if (message.kind === 'used' || message.kind === 'noted') this.#onNews(message);
    else if (message.kind === 'started') this.#started.resolve();
    else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.kind === 'answer') waiting?.resolve(message.answer as never);
      else waiting?.reject(errorOf(message));
    }
  }
}

function errorOf({ message, path }: Extract<FromWorker, { kind: 'failed' }>): Error {
  return path === undefined ? new StartError(message) : new ChangeRefused(message, path);
}

/** Those of this process, as far as they are right for a child; from a clone the sources are run as they are. */
function argumentsOf(own: readonly string[]): string[] {
  const passed = own.filter((word) => !word.startsWith('--inspect'));
  return IS_SOURCE && !passed.includes(SOURCE_CONDITION) ? [SOURCE_CONDITION, ...passed] : passed;
}
