import type { Endpoint } from '@rollcall/client-sdk';
import type { Clock } from '@rollcall/runtime';
import type { TargetSource } from '../groups/target-source.ts';

interface KeptPicture {
  readonly endpoints: readonly Endpoint[];
  readonly ageMs: number;
  readonly sinceMs: number;
}

/** A source that may be replaced: until the new one has a picture, the last one of the old source is shown. */
export class ReplaceableSource implements TargetSource {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #onClosed: (source: ReplaceableSource) => void;
  readonly #listeners = new Set<() => void>();
  #current: TargetSource;
  #kept: KeptPicture | undefined;
  #endChanges: () => void;

  constructor(
    source: TargetSource,
    clock: Pick<Clock, 'monotonicMs'>,
    onClosed: (source: ReplaceableSource) => void,
  ) {
    this.#current = source;
    this.#clock = clock;
    this.#onClosed = onClosed;
    this.#endChanges = this.#follow(source);
  }

  replace(source: TargetSource): void {
    const endpoints = this.endpoints();
    const ageMs = this.ageMs();
    if (endpoints !== undefined)
      this.#kept = { endpoints, ageMs, sinceMs: this.#clock.monotonicMs() };
    this.#endChanges();
    this.#current.close?.();
    this.#current = source;
    this.#endChanges = this.#follow(source);
    if (source.endpoints() !== undefined) this.#notify();
  }

  endpoints(): readonly Endpoint[] | undefined {
    return this.#current.endpoints() ?? this.#kept?.endpoints;
  }

  ageMs(): number {
    const kept = this.#kept;
    if (kept === undefined) return this.#current.ageMs();
    return kept.ageMs + this.#clock.monotonicMs() - kept.sinceMs;
  }

  explain(): string {
    return this.#current.explain();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#endChanges();
    this.#current.close?.();
    this.#onClosed(this);
  }

  #follow(source: TargetSource): () => void {
    return source.onChange(() => this.#notify());
  }

  #notify(): void {
    if (this.#current.endpoints() !== undefined) this.#kept = undefined;
    for (const listener of this.#listeners) listener();
  }
}
