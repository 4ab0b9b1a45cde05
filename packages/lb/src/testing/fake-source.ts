import type { Endpoint } from '@rollcall/client-sdk';
import type { TargetSource } from '../groups/target-source.ts';

export function endpoint(port: number, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    id: `i${port}/http`,
    instance: `i${port}`,
    address: '127.0.0.1',
    port,
    portName: 'http',
    protocol: 'TCP',
    containerPort: port,
    zone: '',
    weight: 100,
    labels: {},
    state: 'up',
    reason: '',
    ready: true,
    serving: true,
    terminating: false,
    tier: 0,
    ...changes,
  };
}

export const DRAINING: Partial<Endpoint> = {
  state: 'draining',
  ready: false,
  terminating: true,
  tier: null,
};

/** A source whose picture the test sets. */
export class FakeSource implements TargetSource {
  age = 0;
  #endpoints: readonly Endpoint[] | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(endpoints?: readonly Endpoint[]) {
    this.#endpoints = endpoints;
  }

  endpoints(): readonly Endpoint[] | undefined {
    return this.#endpoints;
  }

  ageMs(): number {
    return this.age;
  }

  explain(): string {
    return 'the registry cannot be reached';
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  show(...endpoints: Endpoint[]): void {
    this.#endpoints = endpoints;
    for (const listener of this.#listeners) listener();
  }
}
