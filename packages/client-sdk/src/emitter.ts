type Listeners<E> = { [K in keyof E]: (...args: never[]) => void };

/**
 * Listeners by event. Called in order of subscription, synchronously, never concurrently. One that
 * throws does not keep the others from being called: its error surfaces as an uncaught exception.
 */
export class Emitter<E extends Listeners<E>> {
  readonly #listeners = new Map<keyof E, Set<E[keyof E]>>();

  /** Returns what ends the subscription. The same function given twice is called once. */
  on<K extends keyof E>(event: K, listener: E[K]): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<K extends keyof E>(event: K, ...args: Parameters<E[K]>): void {
    for (const listener of Array.from(this.#listeners.get(event) ?? [])) {
      try {
        listener(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
