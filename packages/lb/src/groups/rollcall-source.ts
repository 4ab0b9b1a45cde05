import type { Endpoint, Service } from '@rollcall/client-sdk';
import type { TargetSource } from './target-source.ts';

/** A service of the registry, through the SDK. */
export class RollcallSource implements TargetSource {
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  endpoints(): readonly Endpoint[] | undefined {
    return this.#service.snapshot() === undefined ? undefined : this.#service.endpoints();
  }

  ageMs(): number {
    return this.#service.ageMs();
  }

  explain(): string {
    const picked = this.#service.pick();
    if (picked.kind === 'none') return picked.error.message;
    picked.done('ok');
    return '';
  }

  onChange(listener: () => void): () => void {
    return this.#service.on('change', listener);
  }

  close(): void {
    void this.#service.close();
  }
}
