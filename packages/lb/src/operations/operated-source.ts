import type { Endpoint } from '@rollcall/client-sdk';
import type { TargetGroupConfig } from '../config/schema.ts';
import type { TargetSource } from '../groups/target-source.ts';
import type { Operations } from './operations.ts';

type Endpoints = readonly Endpoint[] | undefined;

/** The targets of a group, without those that operators have taken out of use. */
export class OperatedSource implements TargetSource {
  readonly #source: TargetSource;
  readonly #group: string;
  readonly #operations: Operations;
  readonly #listeners = new Set<() => void>();
  readonly #ends: readonly (() => void)[];
  #given: Endpoints;
  #applied: Endpoints;

  constructor(source: TargetSource, group: string, operations: Operations) {
    this.#source = source;
    this.#group = group;
    this.#operations = operations;
    this.#take();
    this.#ends = [source.onChange(() => this.#change()), operations.onChange(() => this.#change())];
  }

  endpoints(): Endpoints {
    // A source may have its first picture already before it reports a change.
    if (this.#source.endpoints() !== this.#given) this.#take();
    return this.#applied;
  }

  ageMs(): number {
    return this.#source.ageMs();
  }

  explain(): string {
    return this.#source.explain();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  configure(config: TargetGroupConfig): void {
    this.#source.configure?.(config);
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#source.close?.();
  }

  #take(): void {
    const given = this.#source.endpoints();
    this.#given = given;
    this.#applied = given && this.#operations.apply(this.#group, given);
  }

  #change(): void {
    this.#take();
    for (const listener of this.#listeners) listener();
  }
}
