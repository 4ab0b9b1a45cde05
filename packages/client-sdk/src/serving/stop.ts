import type { SignalSource } from '../base/runtime.ts';

/** Waits for a signal that asks the process to stop. A second one ends it at once, as the signal would. */
export class Stop {
  /** Resolves at the first signal. */
  readonly asked: Promise<void>;
  readonly #source: SignalSource;
  readonly #listeners = new Map<NodeJS.Signals, () => void>();

  constructor(source: SignalSource, signals: readonly NodeJS.Signals[]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.asked = promise;
    this.#source = source;
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
  }

  /** Listens no more. Safe to call twice. */
  close(): void {
    for (const [signal, listener] of this.#listeners) this.#source.off(signal, listener);
    this.#listeners.clear();
  }
}
