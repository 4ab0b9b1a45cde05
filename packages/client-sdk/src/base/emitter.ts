import type { Runtime } from './runtime.ts';

type Listeners<E> = { [K in keyof E]: (...args: never[]) => void };

/**
 * Listeners by event. Calls them in order of subscription, synchronously and never concurrently. A listener that
 * throws, or whose promise rejects, neither stops the other listeners nor ends the process: it causes a process
 * warning.
 */
export class Emitter<E extends Listeners<E>> {
  readonly #runtime: Pick<Runtime, 'warn'>;
  readonly #listeners = new Map<keyof E, Set<E[keyof E]>>();

  constructor(runtime: Pick<Runtime, 'warn'>) {
    this.#runtime = runtime;
  }

  /** Returns a function that unsubscribes. A function that is subscribed twice is called once. */
  on<K extends keyof E>(event: K, listener: E[K]): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Whether the event has a listener. */
  hasListener(event: keyof E): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  emit<K extends keyof E>(event: K, ...args: Parameters<E[K]>): void {
    for (const listener of Array.from(this.#listeners.get(event) ?? [])) {
      const failed = (error: unknown) =>
        this.#runtime.warn(`a listener of '${String(event)}' failed: ${String(error)}`, error);
      try {
        const returned: unknown = listener(...args);
        if (returned instanceof Promise) returned.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
