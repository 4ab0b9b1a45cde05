import { isIPv4 } from 'node:net';
import { type FieldError, type Manifest, NODE_PORTS, type Service } from '@rollcall/manifests';
import type { PoolName } from '../../../store/record.ts';
import type { Pool } from '../../../store/store.ts';
import { Networks } from '../../../access/networks.ts';
import { isHeadless } from '../../../picture/declared/claim-slots.ts';
import { ipv4OfNumber, numberOfIpv4, rangeOfCidr } from '../../../picture/declared/ipv4.ts';

export interface AddressOptions {
  /** IPv4 network of the cluster IPs. */
  readonly serviceCidr: string;
  /** Networks whose addresses `externalIPs` may name. */
  readonly allowExternalIp: readonly string[];
}

/**
 * How many numbers are kept for requests of a certain number: a share of the range, within bounds, as in Kubernetes.
 */
function reservedOf(size: number, { share, most }: { share: number; most: number }): number {
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / share)), most);
}

const clusterIpOf = ({ spec }: Service) => spec?.clusterIPs?.[0] ?? spec?.clusterIP ?? '';

/** Which addresses and ports services may have. */
export class AddressRules {
  readonly pools: Readonly<Record<PoolName, Pool>>;
  /** The registry's own address: the first of the network. */
  readonly ownAddress: string;
  readonly #cidr: string;
  readonly #external: Networks;

  constructor({ serviceCidr, allowExternalIp }: AddressOptions) {
    const { first, last } = rangeOfCidr(serviceCidr);
    const size = last - first + 1;
    this.#cidr = serviceCidr;
    this.#external = new Networks(allowExternalIp);
    this.ownAddress = ipv4OfNumber(first + 1);
    const ports = NODE_PORTS.last - NODE_PORTS.first + 1;
    // Without the network address and the broadcast address.
    this.pools = {
      clusterIps: {
        first: first + 1,
        last: last - 1,
        reserved: reservedOf(size, { share: 16, most: 256 }),
      },
      nodePorts: { ...NODE_PORTS, reserved: reservedOf(ports, { share: 32, most: 128 }) },
    };
  }

  /**
   * Faults of the addresses that a service asks for. Its current cluster IP is not checked: it stays valid when the
   * registry is given another network.
   */
  faultsOf(service: Service, before: Manifest | undefined): FieldError[] {
    const had = before?.kind === 'Service' ? clusterIpOf(before) : '';
    const keepsAddress = had !== '' && had === clusterIpOf(service);
    return [
      ...(keepsAddress ? [] : this.#clusterIpFaults(service)),
      ...this.#externalFaults(service),
    ];
  }

  #clusterIpFaults(service: Service): FieldError[] {
    const { spec = {} } = service;
    const address = clusterIpOf(service);
    if (address === '' || isHeadless(service) || spec.type === 'ExternalName') return [];
    const { first, last } = this.pools.clusterIps;
    const number = isIPv4(address) ? numberOfIpv4(address) : -1;
    if (number >= first && number <= last) return [];
    const detail = `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${this.#cidr}`;
    const message = `Invalid value: ${JSON.stringify([address])}: failed to allocate IP ${address}: ${detail}`;
    return [{ reason: 'FieldValueInvalid', field: 'spec.clusterIPs', message }];
  }

  #externalFaults({ spec }: Service): FieldError[] {
    return (spec?.externalIPs ?? []).flatMap((address, i) => {
      if (this.#external.has(address)) return [];
      const detail = `${address} is in no network that the registry's option --allow-external-ip names; none is by default, since a service could take over any address`;
      const field = `spec.externalIPs[${i}]`;
      return [{ reason: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` }];
    });
  }
}
