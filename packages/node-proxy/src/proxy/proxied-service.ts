import type { DeclaredService, ServiceKey } from '@rollcall/client-sdk';
import {
  type Report,
  type ReportingService,
  ServedService,
  type ServedServiceParts,
} from '@rollcall/service-plane';
import { type AddressStanding, conditionsOf } from './conditions.ts';
import {
  type AddressRules,
  type ServiceAddress,
  addressesOf,
  isProxied,
} from './service-address.ts';

/** One declared service on all of its addresses. */
export class ProxiedService extends ServedService implements ReportingService {
  readonly #rules: AddressRules;
  #addresses: readonly ServiceAddress[] = [];

  constructor(
    key: ServiceKey,
    declared: DeclaredService,
    { addresses, ...parts }: ServedServiceParts & { readonly addresses: AddressRules },
  ) {
    super(key, declared, parts);
    this.#rules = addresses;
  }

  standings(): AddressStanding[] {
    const statuses = this.statuses();
    // Two kinds may have the same address: it is served once and counts for both.
    return this.#addresses.flatMap((address) => {
      const status = statuses.find(
        ({ frontend: { host, port, protocol } }) =>
          host === address.host && port === address.port && protocol === address.protocol,
      );
      return status === undefined ? [] : [{ address, status }];
    });
  }

  makeReport(): Report | undefined {
    const ports = isProxied(this.declared) ? this.declared.ports : [];
    const conditions = conditionsOf(this.standings(), ports);
    return conditions && { conditions };
  }

  protected applyPlaces(): void {
    this.#addresses = addressesOf(this.declared, this.#rules);
    this.serve(
      this.#addresses.map(({ kind, host, port, servicePort }) => {
        return { host, port, servicePort, isGuarded: kind === 'LoadBalancerIP' };
      }),
    );
  }
}
