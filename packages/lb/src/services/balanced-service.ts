import { isIPv6 } from 'node:net';
import { ServicePools, type ServicePoolsOptions } from '@rollcall/balancing';
import type { Condition, DeclaredPort, DeclaredService, Endpoint } from '@rollcall/client-sdk';
import {
  type Frontend,
  type RefusalCounters,
  type ServicePlane,
  type TargetCounters,
  bindReasonOf,
  createPortService,
  createSourceRanges,
} from '@rollcall/dataplane';
import { type Placement, placementOf } from './placement.ts';

export interface BalancedServiceParts {
  readonly plane: ServicePlane;
  readonly pools: ServicePoolsOptions<TargetCounters>;
  /** Addresses that may be handed out. */
  readonly addresses: readonly string[];
  /** What connections to endpoints that have left get, in ms. */
  readonly drainMs: number;
  readonly refusals: RefusalCounters;
}

/** What is to be said of a service at the registry. */
export interface ServiceNotice {
  readonly loadBalancer: readonly { readonly ip: string }[];
  readonly conditions: Condition[];
}

type PortService = Frontend['service'];

/**
 * One service of type LoadBalancer: its pools behind all its ports on one address of the balancer. Addresses are tried
 * one after the other until one is found on which every port can be had.
 */
export class BalancedService {
  readonly key: string;
  readonly pools: ServicePools<TargetCounters>;
  declared: DeclaredService;
  /** The address that all its ports are served on. */
  address: string | undefined;
  readonly #parts: BalancedServiceParts;
  #placement: Placement = { kind: 'candidates', addresses: [] };
  #shape = '';
  #at = 0;
  #faults: { readonly reason: string; readonly message: string }[] = [];

  constructor(key: string, declared: DeclaredService, parts: BalancedServiceParts) {
    this.key = key;
    this.declared = declared;
    this.#parts = parts;
    this.pools = new ServicePools({ ...parts.pools, name: key });
  }

  /** Whether every address was tried in vain. */
  get isStranded(): boolean {
    const { kind } = this.#placement;
    return kind === 'candidates' && this.#at >= this.#placement.addresses.length;
  }

  take(declared: DeclaredService, endpoints: readonly Endpoint[]): void {
    const { plane, addresses, drainMs } = this.#parts;
    this.declared = declared;
    const gone = this.pools.take(declared, endpoints);
    const { ports, loadBalancerIP, loadBalancerIPs, loadBalancerSourceRanges } = declared;
    const shape = JSON.stringify([ports, loadBalancerIP, loadBalancerSourceRanges]);
    if (shape !== this.#shape) {
      this.#shape = shape;
      // What it had here, else what was reported before this process began.
      const preferred = this.address === undefined ? loadBalancerIPs : [this.address];
      this.#placement = placementOf(declared, addresses, preferred);
      this.tryAgain();
    }
    for (const member of gone) plane.drain(member, drainMs);
  }

  /** Looks for an address from the first candidate on. */
  tryAgain(): void {
    this.#at = 0;
    this.#faults = [];
    this.#apply();
  }

  /** How its frontends stand has changed: settles for the address, or goes on to the next one. */
  settle(): void {
    while (this.#candidate !== undefined) {
      const statuses = this.#parts.plane.statuses(this.key);
      const fault = statuses.find(({ state }) => state === 'failed' || state === 'taken');
      if (fault === undefined) {
        if (statuses.every(({ state }) => state === 'bound')) this.address = this.#candidate;
        return;
      }
      const { host, port, protocol } = fault.frontend;
      const place = `${isIPv6(host) ? `[${host}]` : host}:${port}/${protocol}`;
      const message = `${place}: ${fault.detail}`;
      this.#faults.push({ reason: bindReasonOf(fault), message });
      this.#at++;
      this.#apply();
    }
  }

  /** What there is to say; undefined: nothing new yet. */
  notice(): ServiceNotice | undefined {
    const placement = this.#placement;
    if (placement.kind === 'none')
      return this.#noticeOf(undefined, placement.reason, placement.message);
    if (this.address !== undefined) return this.#noticeOf(this.address, 'Bound', '');
    if (!this.isStranded) return undefined;
    const message = this.#faults.map((fault) => fault.message).join('; ');
    return this.#noticeOf(undefined, this.#faults[0]?.reason ?? 'BindFailed', message);
  }

  /** What is said last, when the balancer stops: the address stays its own for a while, so that a restart finds it again. */
  farewell(): ServiceNotice {
    return { ...this.#noticeOf(undefined, 'Stopped', 'the balancer was stopped'), ...this.#status };
  }

  /** Gives back its address; its connections get the time of those whose endpoints have left. */
  end(): void {
    const { plane, drainMs } = this.#parts;
    plane.apply(this.key, []);
    for (const pool of this.pools.pools())
      for (const member of pool.members()) plane.drain(member, drainMs);
  }

  get #candidate(): string | undefined {
    return this.#placement.kind === 'candidates' ? this.#placement.addresses[this.#at] : undefined;
  }

  get #status(): Pick<ServiceNotice, 'loadBalancer'> {
    return { loadBalancer: this.address === undefined ? [] : [{ ip: this.address }] };
  }

  #apply(): void {
    this.address = undefined;
    const candidate = this.#candidate;
    const frontends = candidate === undefined ? [] : this.#frontendsOn(candidate);
    this.#parts.plane.apply(this.key, frontends);
    this.settle();
  }

  #frontendsOn(host: string): Frontend[] {
    const { ports, loadBalancerSourceRanges: ranges } = this.declared;
    const admits = ranges.length === 0 ? undefined : createSourceRanges(ranges);
    return ports.flatMap((servicePort): Frontend[] => {
      const { protocol, port } = servicePort;
      if (protocol === 'SCTP') return [];
      return [{ protocol, host, port, service: { ...this.#serviceOf(servicePort), admits } }];
    });
  }

  #serviceOf(port: DeclaredPort): PortService {
    return createPortService(this.pools.poolOf(port)!, this.#parts.refusals);
  }

  #noticeOf(address: string | undefined, reason: string, message: string): ServiceNotice {
    const type = 'LoadBalancerBound';
    const status = address === undefined ? 'False' : 'True';
    const conditions: Condition[] = [{ type, status, reason, message: message.slice(0, 1_000) }];
    const others = this.declared.ports.filter(({ protocol }) => protocol === 'SCTP');
    if (others.length > 0)
      conditions.push({
        type: 'ProtocolsSupported',
        status: 'False',
        reason: 'ProtocolNotSupported',
        message: `${others.map(({ port }) => `${port}/SCTP`).join(', ')}: this balancer carries TCP and UDP`,
      });
    return { loadBalancer: address === undefined ? [] : [{ ip: address }], conditions };
  }
}
