import { type PortPool, ServicePools, type ServicePoolsOptions } from '@rollcall/balancing';
import type { DeclaredPort, DeclaredService, Endpoint, ServiceKey } from '@rollcall/client-sdk';
import {
  type PortService,
  type RefusalCounters,
  EndpointTarget,
  createPortService,
  createSourceRanges,
} from '@rollcall/dataplane';
import type { Frontend, FrontendStatus, ServicePlane } from '../plane/service-plane.ts';

export interface ServedServiceParts {
  readonly plane: ServicePlane;
  readonly pools: Omit<ServicePoolsOptions<EndpointTarget>, 'create' | 'name'>;
  /** What connections to endpoints that have left get, in ms. */
  readonly drainMs: number;
  readonly refusals: RefusalCounters;
}

/** Where a port of a service is to be served. */
export interface ServedPlace {
  readonly host: string;
  /** Not always that of the service: a node port is another one. */
  readonly port: number;
  readonly servicePort: DeclaredPort;
  /** Whether only clients of the service's source ranges are let in. */
  readonly isGuarded: boolean;
}

/** One declared service on a plane: its pools behind some addresses. Who extends it says which addresses. */
export abstract class ServedService {
  readonly key: ServiceKey;
  readonly pools: ServicePools<EndpointTarget>;
  readonly #parts: ServedServiceParts;
  readonly #portServices = new WeakMap<PortPool<EndpointTarget>, PortService>();
  #declared: DeclaredService;

  constructor(key: ServiceKey, declared: DeclaredService, parts: ServedServiceParts) {
    this.key = key;
    this.#declared = declared;
    this.#parts = parts;
    this.pools = new ServicePools({
      ...parts.pools,
      name: key,
      create: (endpoint) => new EndpointTarget(endpoint),
    });
  }

  get declared(): DeclaredService {
    return this.#declared;
  }

  /** What is declared, and the endpoints that there are. Connections to those that have left get their time. */
  take(declared: DeclaredService, endpoints: readonly Endpoint[]): void {
    this.#declared = declared;
    const gone = this.pools.take(declared, endpoints);
    this.applyPlaces();
    for (const target of gone) this.#parts.plane.drain(target, this.#parts.drainMs);
  }

  /** Gives back its addresses; its connections get the time of those whose endpoints have left. */
  end(): void {
    const { plane, drainMs } = this.#parts;
    plane.apply(this.key, []);
    for (const pool of this.pools.pools())
      for (const target of pool.targets()) plane.drain(target, drainMs);
  }

  /** How what was applied last stands. */
  protected statuses(): readonly FrontendStatus[] {
    return this.#parts.plane.statuses(this.key);
  }

  /** Calls {@link apply} with where it is to be served, as it is declared now. */
  protected abstract applyPlaces(): void;

  protected apply(places: readonly ServedPlace[]): void {
    const frontends = places.flatMap((place) => this.#frontendOf(place) ?? []);
    this.#parts.plane.apply(this.key, frontends);
  }

  /** Undefined: what it speaks is not carried here. */
  #frontendOf({ host, port, servicePort, isGuarded }: ServedPlace): Frontend | undefined {
    const { protocol } = servicePort;
    const pool = this.pools.poolOf(servicePort);
    if (protocol === 'SCTP' || pool === undefined) return undefined;
    const service = this.#portServiceOf(pool);
    const { loadBalancerSourceRanges: ranges } = this.#declared;
    if (!isGuarded || ranges.length === 0) return { protocol, host, port, service };
    return { protocol, host, port, service: { ...service, admits: createSourceRanges(ranges) } };
  }

  #portServiceOf(pool: PortPool<EndpointTarget>): PortService {
    const known = this.#portServices.get(pool);
    if (known !== undefined) return known;
    const service = createPortService(pool, this.#parts.refusals);
    this.#portServices.set(pool, service);
    return service;
  }
}
