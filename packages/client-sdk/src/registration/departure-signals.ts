import type { SignalSource } from '../runtime.ts';

/** One that leaves politely when the process is told to end. */
export interface Departing {
  drain(): Promise<void>;
}

/**
 * Drains on process signals. Afterwards the signal is raised again, unless the application listens to
 * it too: then ending the process is its business. Never ends the process itself.
 */
export class DepartureSignals {
  readonly #source: SignalSource;
  readonly #departing = new Map<NodeJS.Signals, Set<Departing>>();
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  /** Signals that the application was seen to listen to as well. */
  readonly #shared = new Set<NodeJS.Signals>();
  #isLeaving = false;

  constructor(source: SignalSource) {
    this.#source = source;
  }

  add(signals: readonly NodeJS.Signals[], departing: Departing): void {
    for (const signal of signals) {
      const those = this.#departing.get(signal) ?? new Set();
      this.#departing.set(signal, those.add(departing));
      if (this.#listeners.has(signal)) continue;
      this.#noteOthers(signal);
      const listener = () => void this.#leave(signal);
      this.#listeners.set(signal, listener);
      this.#source.on(signal, listener);
    }
  }

  /** Forgets one that is off the roll; the last one takes the listeners along, unless the process is leaving. */
  remove(departing: Departing): void {
    for (const [signal, those] of this.#departing) {
      those.delete(departing);
      if (those.size === 0 && !this.#isLeaving) this.#unlisten(signal);
    }
  }

  close(): void {
    for (const signal of this.#listeners.keys()) this.#unlisten(signal);
  }

  /** A signal that comes again while the process is leaving changes nothing: terminals send it twice. */
  async #leave(signal: NodeJS.Signals): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#noteOthers(signal);
    const those = [...(this.#departing.get(signal) ?? [])];
    await Promise.allSettled(those.map((departing) => departing.drain()));
    this.#noteOthers(signal);
    this.close();
    if (!this.#shared.has(signal)) this.#source.raise(signal);
  }

  /** Looked for more than once: a listener for one time only is gone by the time that ours is called. */
  #noteOthers(signal: NodeJS.Signals): void {
    const own = this.#listeners.has(signal) ? 1 : 0;
    if (this.#source.listenerCount(signal) > own) this.#shared.add(signal);
  }

  #unlisten(signal: NodeJS.Signals): void {
    const listener = this.#listeners.get(signal);
    if (listener !== undefined) this.#source.off(signal, listener);
    this.#listeners.delete(signal);
  }
}
