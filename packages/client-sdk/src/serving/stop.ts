import type { SignalSource } from '../base/runtime.ts';

/** Waits for what asks the instance to stop: a signal of the process, or an abort. */
export class Stop {
  /** Resolves when something asks. */
  readonly asked: Promise<void>;
  readonly #source: SignalSource;
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  readonly #abort: AbortSignal | undefined;
  readonly #ask: () => void;

  /** A second of the signals ends the process at once, as the signal would. */
  constructor(source: SignalSource, signals: readonly NodeJS.Signals[], abort?: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    this.#source = source;
    this.#abort = abort;
    this.#ask = resolve;
    let isAsked = false;
    for (const signal of signals) {
      const listener = () => {
        if (isAsked) {
          this.close();
          source.raise(signal);
        }
        isAsked = true;
        resolve();
      };
      this.#listeners.set(signal, listener);
      source.on(signal, listener);
    }
    abort?.addEventListener('abort', this.#ask, { once: true });
    if (abort?.aborted === true) resolve();
  }

  /** Listens no more. Safe to call twice. */
  close(): void {
    this.#abort?.removeEventListener('abort', this.#ask);
    for (const [signal, listener] of this.#listeners) this.#source.off(signal, listener);
    this.#listeners.clear();
  }
}
