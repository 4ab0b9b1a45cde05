import type { Endpoint } from '@rollcall/client-sdk';
import type { TargetSource } from '../groups/target-source.ts';
import type { PictureMessage, TargetHealth } from './messages.ts';

/** The targets of a group, and their health, as the balancer tells its worker. */
export class RelayedSource implements TargetSource {
  /** By the id of the target. */
  readonly health = new Map<string, TargetHealth>();
  readonly #listeners = new Set<() => void>();
  readonly #healthListeners = new Set<() => void>();
  #endpoints: readonly Endpoint[] | undefined;
  #why = 'the balancer has not told its worker yet';

  show({ endpoints, why }: PictureMessage): void {
    this.#why = why;
    if (endpoints === undefined) return;
    this.#endpoints = endpoints;
    const ids = new Set(endpoints.map(({ id }) => id));
    for (const id of this.health.keys()) if (!ids.has(id)) this.health.delete(id);
    for (const listener of this.#listeners) listener();
  }

  showHealth(targets: Iterable<TargetHealth>): void {
    for (const target of targets) this.health.set(target.id, target);
    for (const listener of this.#healthListeners) listener();
  }

  endpoints(): readonly Endpoint[] | undefined {
    return this.#endpoints;
  }

  /** The balancer knows the age. */
  ageMs(): number {
    return 0;
  }

  explain(): string {
    return this.#why;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onHealth(listener: () => void): () => void {
    this.#healthListeners.add(listener);
    return () => this.#healthListeners.delete(listener);
  }
}
