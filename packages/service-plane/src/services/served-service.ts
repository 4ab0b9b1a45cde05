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
  /** How long connections to removed endpoints may go on, in ms. */
  readonly drainMs: number;
  readonly refusals: RefusalCounters;
}

/** An address at which a port of a service is served. */
export interface ServedPlace {
  readonly host: string;
  /** May differ from the service's port, as a node port does. */
  readonly port: number;
  readonly servicePort: DeclaredPort;
  /** Whether only clients in the service's source ranges are accepted. */
  readonly isGuarded: boolean;
}

/** One declared service on a plane: its pools behind some addresses. Subclasses choose the addresses. */
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

  /** Takes a new declaration and its endpoints. Connections to removed endpoints may go on for the drain time. */
  update(declared: DeclaredService, endpoints: readonly Endpoint[]): void {
    this.#declared = declared;
    const gone = this.pools.setEndpoints(declared, endpoints);
    this.applyPlaces();
    for (const target of gone) this.#parts.plane.drain(target, this.#parts.drainMs);
  }

  /** Releases its addresses. Its connections may go on for the drain time. */
  withdraw(): void {
    const { plane, drainMs } = this.#parts;
    plane.setFrontends(this.key, []);
    for (const pool of this.pools.pools())
      for (const target of pool.targets()) plane.drain(target, drainMs);
  }

  /** The states of the frontends that were applied last. */
  protected statuses(): readonly FrontendStatus[] {
    return this.#parts.plane.statuses(this.key);
  }

  /** Calls {@link serve} with the current addresses of the declared service. */
  protected abstract applyPlaces(): void;

  protected serve(places: readonly ServedPlace[]): void {
    const frontends = places.flatMap((place) => this.#frontendOf(place) ?? []);
    this.#parts.plane.setFrontends(this.key, frontends);
  }

  /** Undefined = its protocol is not supported here. */
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
