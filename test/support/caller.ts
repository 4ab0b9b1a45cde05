import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '@rollcall/client-sdk';
import { type History, until } from '@rollcall/testkit';
import { Agent, request } from 'undici';
import { monotonicMs } from './monotonic.ts';
import { nameIn } from './stack.ts';

export interface CallerOptions {
  /** Its name in the history. */
  readonly caller: string;
  /** Number of concurrent calls. @default 4 */
  readonly concurrency?: number;
  /** Pause between two calls, in ms. @default 10 */
  readonly pauseMs?: number;
  /** Every how many calls one is a POST, which must not be repeated; 0 = none. @default 5 */
  readonly postEvery?: number;
}

type Call = (path: string, method: 'GET' | 'POST', signal: AbortSignal) => Promise<string>;

/** Interval between reports of a service's call counts, in ms. */
const TALLY_MS = 500;
/** Interval between picks without a call, in ms. */
const PICK_MS = 5;

let serials = 0;

/** Calls in a loop until it is stopped, and records each call in a history. */
export class SceneCaller {
  readonly #history: History;
  readonly #options: Required<CallerOptions>;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  /** Number of answered calls. */
  answered = 0;

  private constructor(
    history: History,
    options: CallerOptions,
    loops: (self: SceneCaller) => readonly Promise<void>[],
  ) {
    this.#history = history;
    this.#options = { concurrency: 4, pauseMs: 10, postEvery: 5, ...options };
    this.#running = Promise.all(loops(this));
  }

  static ofService(history: History, service: Service, options: CallerOptions): SceneCaller {
    const call: Call = async (path, method, signal) => {
      const { body, statusCode } = await service.request(path, { method, signal });
      return answerOf(statusCode, await body.text());
    };
    return new SceneCaller(history, options, (self) => [
      ...self.#callers(call),
      self.#tally(service),
    ]);
  }

  /** Picks without calling: so it depends only on the registry's information, and never learns of failed calls. */
  static ofPicks(history: History, service: Service, caller: string): SceneCaller {
    return new SceneCaller(history, { caller }, (self) => [self.#pick(service)]);
  }

  static ofUrls(history: History, urls: readonly string[], options: CallerOptions): SceneCaller {
    const dispatcher = new Agent({ connections: 16 });
    const call: Call = async (path, method, signal) => {
      for (let i = 0; ; i++) {
        try {
          const url = `${urls[i % urls.length]}${path}`;
          const { body, statusCode } = await request(url, { method, dispatcher, signal });
          return answerOf(statusCode, await body.text());
        } catch (error) {
          // A refused connection has sent nothing; a GET may be sent again in any case.
          const isSafe = method === 'GET' || (error as { code?: string }).code === 'ECONNREFUSED';
          if (signal.aborted || !isSafe || i + 1 >= 2 * urls.length || urls.length === 1)
            throw error;
        }
      }
    };
    return new SceneCaller(history, options, (self) => {
      self.#stop.signal.addEventListener('abort', () => void dispatcher.close());
      return self.#callers(call);
    });
  }

  /** Resolves after `count` more answers. */
  async answers(count: number): Promise<void> {
    const goal = this.answered + count;
    await until(() => this.answered >= goal, { withinMs: 60_000, what: `${count} answers` });
  }

  /** Aborts the calls in progress. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #callers(call: Call): Promise<void>[] {
    return Array.from({ length: this.#options.concurrency }, () => this.#run(call));
  }

  async #run(call: Call): Promise<void> {
    const { postEvery, pauseMs } = this.#options;
    while (!this.#stop.signal.aborted) {
      const number = ++serials;
      const isIdempotent = postEvery === 0 || number % postEvery !== 0;
      await this.#once(call, `${process.pid}-${number}`, isIdempotent);
      await this.#pause(pauseMs);
    }
  }

  async #once(call: Call, serial: string, isIdempotent: boolean): Promise<void> {
    const { caller } = this.#options;
    const invokedMs = monotonicMs();
    const own = { kind: 'request', caller, invokedMs, isIdempotent, serial } as const;
    try {
      const answeredBy = await call(
        `/do/${serial}`,
        isIdempotent ? 'GET' : 'POST',
        this.#stop.signal,
      );
      this.answered++;
      this.#history.add({ ...own, answeredBy, atMs: monotonicMs() });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const failed = (error as Error).message;
      this.#history.add({ ...own, failed, atMs: monotonicMs() });
    }
  }

  async #pick(service: Service): Promise<void> {
    const { caller } = this.#options;
    while (!this.#stop.signal.aborted) {
      const picked = service.pick();
      if (picked.kind === 'picked') {
        const { instance } = picked.endpoint;
        picked.done('ok');
        this.#history.add({ kind: 'pick', caller, instance, atMs: monotonicMs() });
      }
      await this.#pause(PICK_MS);
    }
  }

  async #tally(service: Service): Promise<void> {
    const { caller } = this.#options;
    while (!this.#stop.signal.aborted) {
      const { calls, retries } = service.stats();
      this.#history.add({ kind: 'tally', caller, calls, retries, atMs: monotonicMs() });
      await this.#pause(TALLY_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}

function answerOf(status: number, text: string): string {
  if (status !== 200) throw new Error(`${status} ${text.trim()}`);
  return nameIn(text);
}
