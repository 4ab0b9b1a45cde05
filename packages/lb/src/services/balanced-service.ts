import type { Condition, DeclaredService, ServiceKey } from '@rollcall/client-sdk';
import {
  bindReasonOf,
  formatAddress,
  type Report,
  type ReportingService,
  ServedService,
  type ServedServiceParts,
  unsupportedCondition,
} from '@rollcall/service-plane';
import { type Placement, placementOf } from './placement.ts';

const MESSAGE_LENGTH = 1_000;

/**
 * One service of type LoadBalancer on one address of the balancer. It tries one address after another until every port
 * of the service can be bound on it.
 */
export class BalancedService extends ServedService implements ReportingService {
  /** Addresses that may be assigned. */
  readonly #addresses: readonly string[];
  /** The address on which all its ports are served. */
  #address: string | undefined;
  #placement: Placement = { kind: 'candidates', addresses: [] };
  #shape = '';
  #at = 0;
  #faults: { readonly reason: string; readonly message: string }[] = [];

  constructor(
    key: ServiceKey,
    declared: DeclaredService,
    { addresses, ...parts }: ServedServiceParts & { readonly addresses: readonly string[] },
  ) {
    super(key, declared, parts);
    this.#addresses = addresses;
  }

  get address(): string | undefined {
    return this.#address;
  }

  /** Whether every address was tried without success. */
  get isStranded(): boolean {
    const { kind } = this.#placement;
    return kind === 'candidates' && this.#at >= this.#placement.addresses.length;
  }

  /** Searches for an address again, starting with the first candidate. */
  tryAgain(): void {
    this.#at = 0;
    this.#faults = [];
    this.#address = undefined;
    this.#applyCandidate();
  }

  /** Accepts the address, or goes on to the next one. */
  makeReport(): Report | undefined {
    this.#settle();
    const placement = this.#placement;
    if (placement.kind === 'none')
      return this.#reportOf(undefined, placement.reason, placement.message);
    if (this.#address !== undefined) return this.#reportOf(this.#address, 'Bound', '');
    if (!this.isStranded) return undefined;
    const message = this.#faults.map((fault) => fault.message).join('; ');
    return this.#reportOf(undefined, this.#faults[0]?.reason ?? 'BindFailed', message);
  }

  /**
   * The last report, when the balancer stops: the address stays reserved for a while, so that a restart gets it again.
   */
  lastReport(): Report {
    const stopped = this.#reportOf(undefined, 'Stopped', 'the balancer was stopped');
    return { ...stopped, loadBalancer: addressesOf(this.#address) };
  }

  protected applyPlaces(): void {
    const { ports, loadBalancerIP, loadBalancerIPs, loadBalancerSourceRanges } = this.declared;
    const shape = JSON.stringify([ports, loadBalancerIP, loadBalancerSourceRanges]);
    if (shape === this.#shape) {
      this.#applyCandidate();
      return;
    }
    this.#shape = shape;
    // The address that it had here, else the one reported before this process started.
    const preferred = this.#address === undefined ? loadBalancerIPs : [this.#address];
    this.#placement = placementOf(this.declared, this.#addresses, preferred);
    this.tryAgain();
  }

  get #candidate(): string | undefined {
    return this.#placement.kind === 'candidates' ? this.#placement.addresses[this.#at] : undefined;
  }

  #settle(): void {
    while (this.#candidate !== undefined) {
      const statuses = this.statuses();
      const fault = statuses.find(({ state }) => state === 'failed' || state === 'taken');
      if (fault === undefined) {
        if (statuses.every(({ state }) => state === 'bound')) this.#address = this.#candidate;
        return;
      }
      const message = `${formatAddress(fault.frontend)}: ${fault.detail}`;
      this.#faults.push({ reason: bindReasonOf(fault), message });
      this.#at++;
      this.#address = undefined;
      this.#applyCandidate();
    }
  }

  #applyCandidate(): void {
    const host = this.#candidate;
    const ports = host === undefined ? [] : this.declared.ports;
    this.serve(
      ports.map((servicePort) => {
        return { host: host ?? '', port: servicePort.port, servicePort, isGuarded: true };
      }),
    );
  }

  #reportOf(address: string | undefined, reason: string, message: string): Report {
    const type = 'LoadBalancerBound';
    const status = address === undefined ? 'False' : 'True';
    const bound: Condition = { type, status, reason, message: message.slice(0, MESSAGE_LENGTH) };
    const unsupported = unsupportedCondition(this.declared.ports, 'this balancer');
    const conditions = unsupported === undefined ? [bound] : [bound, unsupported];
    return { loadBalancer: addressesOf(address), conditions };
  }
}

const addressesOf = (address: string | undefined) =>
  address === undefined ? [] : [{ ip: address }];
