import type { DeclaredPort, DeclaredService, Endpoint } from '@rollcall/contract';
import { Affinity } from './affinity.ts';
import { type Policy, policyOf } from '../order/policy.ts';
import { PortPool, type PortPoolOptions } from './port-pool.ts';
import type { PoolTarget } from './pool-target.ts';

export interface ServicePoolsOptions<T extends PoolTarget> extends PortPoolOptions<T> {
  /** Default for services that specify no scheduler, or an unknown one. */
  readonly scheduler: Policy;
  /** Maximum number of clients whose bonds are remembered. */
  readonly affinityClients: number;
}

const keyOf = (name: string, protocol: string) => `${protocol} ${name}`;

/** The pools of a declared service, one for each of its ports. */
export class ServicePools<T extends PoolTarget> {
  /** The scheduler in use. */
  scheduler: Policy;
  readonly #options: ServicePoolsOptions<T>;
  readonly #pools = new Map<string, PortPool<T>>();
  #affinity: Affinity | undefined;

  constructor(options: ServicePoolsOptions<T>) {
    this.#options = options;
    this.scheduler = options.scheduler;
  }

  /** Number of clients bound to an endpoint. */
  get boundClients(): number {
    return this.#affinity?.size ?? 0;
  }

  /** @returns the targets that have left. */
  setEndpoints(declared: DeclaredService, endpoints: readonly Endpoint[]): readonly T[] {
    this.scheduler = policyOf(declared.scheduler) ?? this.#options.scheduler;
    this.#renewAffinity(declared.affinityMs);
    const byPort = Map.groupBy(endpoints, ({ portName, protocol }) => keyOf(portName, protocol));
    const left = new Map(this.#pools);
    const gone: T[] = [];
    for (const { name, protocol } of declared.ports) {
      const key = keyOf(name, protocol);
      left.delete(key);
      gone.push(...this.#pool(key, name).setEndpoints(byPort.get(key) ?? [], this.#rules()));
    }
    for (const [key, pool] of left) {
      this.#pools.delete(key);
      gone.push(...pool.setEndpoints([], this.#rules()));
    }
    return gone;
  }

  /** The pool of a port of the service, as last taken. */
  poolOf({ name, protocol }: DeclaredPort): PortPool<T> | undefined {
    return this.#pools.get(keyOf(name, protocol));
  }

  pools(): Iterable<PortPool<T>> {
    return this.#pools.values();
  }

  #pool(key: string, portName: string): PortPool<T> {
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const { name } = this.#options;
    const options = { ...this.#options, name: portName === '' ? name : `${name}:${portName}` };
    const pool = new PortPool<T>(this.#rules(), options);
    this.#pools.set(key, pool);
    return pool;
  }

  #rules() {
    const { scheduler } = this;
    return { scheduler, affinity: this.#affinity, destination: this.#options.name };
  }

  #renewAffinity(durationMs: number): void {
    if (durationMs === 0) this.#affinity = undefined;
    else if (this.#affinity?.durationMs !== durationMs)
      this.#affinity = new Affinity({ durationMs, maxClients: this.#options.affinityClients });
  }
}
