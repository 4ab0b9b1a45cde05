import type { SignalSource } from '../base/runtime.ts';

/** Something that can drain before the process ends. */
export interface Departing {
  drain(): Promise<void>;
}

/** The registrations that one client drains on process signals. All clients of a process drain together. */
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

  /** Removes a registration that is off the roll. */
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
 * Drains all registrations of a process on its signals. Afterwards it raises the signal again, unless the application
 * listens to it too: then the application must end the process. A second signal does not wait for the drains.
 */
class Departures {
  readonly #source: SignalSource;
  readonly #departing = new Map<NodeJS.Signals, Set<Departing>>();
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  /** Signals that the application listens to as well. */
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

  /** Removing the last one also removes the signal listeners, unless the process is already ending. */
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

  /** Runs once each time the process ends. */
  #end(signal: NodeJS.Signals): void {
    if (!this.#isLeaving) return;
    this.#isLeaving = false;
    for (const listened of this.#listeners.keys()) this.#unlisten(listened);
    if (!this.#shared.has(signal)) this.#source.raise(signal);
  }

  /** Checked more than once: a `once` listener of the application is already removed when this listener runs. */
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
