import type { Service, ServiceSnapshot } from '@rollcall/client-sdk';

/** A service whose client may be replaced: until the new one has a picture, the last one of the old client is shown. */
export class ReplaceableService {
  readonly #onClosed: (service: ReplaceableService) => void;
  readonly #listeners = new Set<() => void>();
  #current: Service;
  #kept: ServiceSnapshot | undefined;
  #endChanges: () => void;

  constructor(service: Service, onClosed: (service: ReplaceableService) => void) {
    this.#current = service;
    this.#onClosed = onClosed;
    this.#endChanges = this.#follow(service);
  }

  replace(next: Service): void {
    this.#kept = this.snapshot();
    this.#endChanges();
    void this.#current.close();
    this.#current = next;
    this.#endChanges = this.#follow(next);
  }

  /** Undefined before the first. */
  snapshot(): ServiceSnapshot | undefined {
    return this.#current.snapshot() ?? this.#kept;
  }

  /** Closing ends it. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    this.#listeners.clear();
    this.#endChanges();
    void this.#current.close();
    this.#onClosed(this);
  }

  #follow(service: Service): () => void {
    return service.on('change', () => {
      for (const listener of this.#listeners) listener();
    });
  }
}
