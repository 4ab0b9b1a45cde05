import type { SignalSource } from '../base/runtime.ts';

/** One that leaves politely when the process is told to end. */
export interface Departing {
  drain(): Promise<void>;
}

/** What one client lets drain on process signals. All clients of a process leave together. */
export class DepartureSignals {
  readonly #departures: Departures;
  readonly #own = new Set<Departing>();

  constructor(source: SignalSource) {
    this.#departures = departuresOf(source);
  }

  add(signals: readonly NodeJS.Signals[], departing: Departing): void {
    this.#own.add(departing);
    this.#departures.add(signals, departing);
  }

  /** Forgets one that is off the roll. */
  remove(departing: Departing): void {
    this.#own.delete(departing);
    this.#departures.remove(departing);
  }

  close(): void {
    for (const departing of this.#own) this.remove(departing);
  }
}

const KNOWN = new WeakMap<SignalSource, Departures>();

function departuresOf(source: SignalSource): Departures {
  const departures = KNOWN.get(source) ?? new Departures(source);
  KNOWN.set(source, departures);
  return departures;
}

/**
 * Drains all of a process on its signals. Afterwards the signal is raised again, unless the application listens to it
 * too: then ending the process is its business. A second signal does not wait for the drains.
 */
class Departures {
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
      this.#shared.delete(signal);
      this.#noteOthers(signal);
      const listener = () => void this.#onSignal(signal);
      this.#listeners.set(signal, listener);
      this.#source.on(signal, listener);
    }
  }

  /** The last one takes the listeners along, unless the process is leaving. */
  remove(departing: Departing): void {
    for (const [signal, those] of this.#departing) {
      those.delete(departing);
      if (those.size === 0 && !this.#isLeaving) this.#unlisten(signal);
    }
  }

  async #onSignal(signal: NodeJS.Signals): Promise<void> {
    this.#noteOthers(signal);
    if (this.#isLeaving) {
      this.#end(signal);
      return;
    }
    this.#isLeaving = true;
    const those = [...(this.#departing.get(signal) ?? [])];
    await Promise.allSettled(those.map((departing) => departing.drain()));
    this.#noteOthers(signal);
    this.#end(signal);
  }

  /** Once for each time that the process leaves. */
  #end(signal: NodeJS.Signals): void {
    if (!this.#isLeaving) return;
    this.#isLeaving = false;
    for (const listened of this.#listeners.keys()) this.#unlisten(listened);
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
