import type { Endpoint } from '@rollcall/client-sdk';
import type { TargetGroupConfig } from '../config/schema.ts';
import { isDeepStrictEqual } from 'node:util';
import type { TargetSource } from './target-source.ts';

/** Where a target that no registry knows is. */
export interface TargetPlace {
  readonly address: string;
  readonly port: number;
  readonly zone?: string | undefined;
  readonly weight: number;
}

/** A target that no registry knows, as an endpoint. `reason`: why it is one. */
export function endpointAt({ address, port, zone, weight }: TargetPlace, reason: string): Endpoint {
  const id = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return {
    id,
    instance: id,
    address,
    port,
    portName: '',
    protocol: 'TCP',
    containerPort: port,
    zone: zone ?? '',
    weight,
    labels: {},
    state: 'up',
    reason,
    ready: true,
    serving: true,
    terminating: false,
    tier: 0,
  };
}

/** The targets that are written in the configuration. */
export class WrittenSource implements TargetSource {
  #endpoints: readonly Endpoint[] | undefined;
  #targets: TargetGroupConfig['targets'];
  readonly #listeners = new Set<() => void>();

  constructor(config: TargetGroupConfig) {
    this.#take(config);
  }

  endpoints(): readonly Endpoint[] | undefined {
    return this.#endpoints;
  }

  ageMs(): number {
    return 0;
  }

  explain(): string {
    return 'the configuration has none';
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  configure(config: TargetGroupConfig): void {
    if (isDeepStrictEqual(config.targets, this.#targets)) return;
    this.#take(config);
    for (const listener of this.#listeners) listener();
  }

  #take({ targets }: TargetGroupConfig): void {
    this.#targets = targets;
    this.#endpoints = targets?.map((target) => endpointAt(target, 'written in the configuration'));
  }
}
