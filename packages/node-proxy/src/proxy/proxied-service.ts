import { type EndpointPool, ServicePools, type ServicePoolsOptions } from '@rollcall/balancing';
import type { Condition, DeclaredService, Endpoint } from '@rollcall/client-sdk';
import {
  type Frontend,
  type PortService,
  type RefusalCounters,
  type ServicePlane,
  type TargetCounters,
  createPortService,
  createSourceRanges,
} from '@rollcall/dataplane';
import { type AddressStanding, conditionsOf } from './conditions.ts';
import {
  type AddressRules,
  type ServiceAddress,
  addressesOf,
  unsupportedPortsOf,
} from './service-address.ts';

export interface ProxiedServiceParts {
  readonly plane: ServicePlane;
  readonly pools: ServicePoolsOptions<TargetCounters>;
  readonly addresses: AddressRules;
  /** What connections to endpoints that have left get, in ms. */
  readonly drainMs: number;
  readonly refusals: RefusalCounters;
}

/** One declared service: its pools behind its addresses. */
export class ProxiedService {
  readonly key: string;
  readonly pools: ServicePools<TargetCounters>;
  declared: DeclaredService;
  readonly #parts: ProxiedServiceParts;
  readonly #portServices = new WeakMap<EndpointPool<TargetCounters>, PortService>();
  #addresses: readonly ServiceAddress[] = [];

  constructor(key: string, declared: DeclaredService, parts: ProxiedServiceParts) {
    this.key = key;
    this.declared = declared;
    this.#parts = parts;
    this.pools = new ServicePools({ ...parts.pools, name: key });
  }

  take(declared: DeclaredService, endpoints: readonly Endpoint[]): void {
    const { plane, addresses, drainMs } = this.#parts;
    this.declared = declared;
    const gone = this.pools.take(declared, endpoints);
    this.#addresses = addressesOf(declared, addresses);
    plane.apply(
      this.key,
      this.#addresses.map((address) => this.#frontendOf(address)),
    );
    for (const member of gone) plane.drain(member, drainMs);
  }

  /** Gives back its addresses; its connections get the time of those whose endpoints have left. */
  end(): void {
    this.#parts.plane.apply(this.key, []);
    for (const pool of this.pools.pools())
      for (const member of pool.members()) this.#parts.plane.drain(member, this.#parts.drainMs);
  }

  standings(): AddressStanding[] {
    const statuses = this.#parts.plane.statuses(this.key);
    // Two kinds of address may be the same address: it is served once and stands for both.
    return this.#addresses.flatMap((address) => {
      const status = statuses.find(
        ({ frontend: { host, port, protocol } }) =>
          host === address.host && port === address.port && protocol === address.protocol,
      );
      return status === undefined ? [] : [{ address, status }];
    });
  }

  conditions(): Condition[] | undefined {
    return conditionsOf(this.standings(), unsupportedPortsOf(this.declared));
  }

  #frontendOf({ kind, protocol, host, port, servicePort }: ServiceAddress): Frontend {
    const service = this.#portServiceOf(this.pools.poolOf(servicePort)!);
    const { loadBalancerSourceRanges: ranges } = this.declared;
    if (kind !== 'LoadBalancerIP' || ranges.length === 0) return { protocol, host, port, service };
    return { protocol, host, port, service: { ...service, admits: createSourceRanges(ranges) } };
  }

  #portServiceOf(pool: EndpointPool<TargetCounters>): PortService {
    const known = this.#portServices.get(pool);
    if (known !== undefined) return known;
    const service = createPortService(pool, this.#parts.refusals);
    this.#portServices.set(pool, service);
    return service;
  }
}
