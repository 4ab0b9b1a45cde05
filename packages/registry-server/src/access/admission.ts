import { isIP } from 'node:net';
import { Address, ProblemError, type Registration, type InstanceRef } from '@rollcall/contract';
import { type Caller, mayRegister } from './caller.ts';
import { SELF } from '../picture/instances/own-service.ts';
import { Networks } from './networks.ts';

/** The limits of a registration. */
export interface RegistrationLimits {
  readonly maxLabels: number;
  readonly maxLabelLength: number;
  readonly maxInstancesPerService: number;
}

export interface AddressPolicy {
  /** Whether the server is reachable from other machines. */
  readonly isPublic: boolean;
  /** CIDRs of the addresses that a non-admin token may register besides its own address; empty = any. */
  readonly allowed: readonly string[];
}

/** IPv4 addresses that other machines cannot use: loopback, link-local, multicast, reserved. */
const LOCAL_4 = ['127.0.0.0/8', '169.254.0.0/16', '0.0.0.0/8', '224.0.0.0/3'];

/** Where cloud providers serve a machine's own secrets, besides 169.254.169.254. */
const METADATA = ['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254'];

/**
 * The same for IPv6, and the ranges that embed an IPv4 address: directly, translated (RFC 6052, 7915, 8215) or by 6to4
 * (RFC 3056, where the next 32 bits are the address). Mapped addresses are checked as IPv4.
 */
const LOCAL_6 = [
  '::/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  '2002:7f00::/24',
  '2002:a9fe::/32',
  '2002::/24',
  '2002:e000::/19',
];

const LOCAL = [...LOCAL_4, ...LOCAL_6, ...METADATA];

/** Decides what a caller may put on the roll. */
export class Admission {
  readonly #limits: RegistrationLimits;
  readonly #isPublic: boolean;
  readonly #allowed: Networks | undefined;
  readonly #local = new Networks(LOCAL);

  constructor(limits: RegistrationLimits, addresses: AddressPolicy) {
    this.#limits = limits;
    this.#isPublic = addresses.isPublic;
    this.#allowed = addresses.allowed.length > 0 ? new Networks(addresses.allowed) : undefined;
  }

  /** Throws `forbidden` unless the caller may register under the service. */
  checkService(caller: Caller, { namespace, service }: InstanceRef): void {
    const isReserved = namespace === SELF.namespace && service === SELF.service;
    if (isReserved && !caller.grants.isAdmin) {
      const message = `${service} in namespace ${namespace} is the registry itself`;
      throw new ProblemError('forbidden', message, { field: 'svc' });
    }
    if (mayRegister(caller.grants, namespace, service)) return;
    throw new ProblemError(
      'forbidden',
      `the token does not cover register:${namespace}/${service}`,
      { field: 'authorization' },
    );
  }

  /** Throws unless the caller may set these labels and this address, and they are within the limits. */
  checkRegistration(caller: Caller, ref: InstanceRef, registration: Registration): void {
    this.checkService(caller, ref);
    this.checkLabels(caller, ref, registration.labels);
    const address = registration.address ?? caller.peerAddress;
    if (!Address.safeParse(address).success) {
      const message = `expected the address that callers reach it at: the connection's own, ${JSON.stringify(address)}, is valid only on this link`;
      throw new ProblemError('invalid_request', message, { field: 'address' });
    }
    this.#checkAddress(caller, address);
  }

  /** `labels` is what the caller sets, null removes one; `known` are the existing labels. */
  checkLabels(
    caller: Caller,
    ref: InstanceRef,
    labels: Readonly<Record<string, string | null>>,
    known: Readonly<Record<string, string>> = {},
  ): void {
    const { maxLabels, maxLabelLength } = this.#limits;
    const merged = Object.values({ ...known, ...labels }).filter((value) => value !== null);
    if (merged.length > maxLabels) {
      const message = `expected at most ${maxLabels} labels, got ${merged.length}`;
      throw new ProblemError('too_many_labels', message, { field: 'labels' });
    }
    for (const [key, value] of Object.entries(labels)) {
      if (value !== null && value.length > maxLabelLength) {
        const message = `expected at most ${maxLabelLength} characters, got ${value.length}`;
        throw new ProblemError('label_too_long', message, { field: `labels.${key}` });
      }
    }
    const { app } = labels;
    if (caller.grants.isAdmin || app === undefined || app === ref.service) return;
    const message = `expected the service's own name '${ref.service}', got ${JSON.stringify(app)}: other values need an admin token`;
    throw new ProblemError('label_forbidden', message, { field: 'labels.app' });
  }

  /**
   * Throws `label_forbidden` when labels would put an instance behind a declared service of another name that the token
   * does not cover. `selecting` has the names of the services that select it.
   */
  checkSelected({ grants }: Caller, ref: InstanceRef, selecting: Iterable<string>): void {
    if (grants.isAdmin) return;
    for (const service of selecting) {
      if (service === ref.service || mayRegister(grants, ref.namespace, service)) continue;
      const message = `the labels are those that service ${service} selects, which the token does not cover`;
      throw new ProblemError('label_forbidden', message, { field: 'labels' });
    }
  }

  #checkAddress(caller: Caller, address: string): void {
    if (caller.grants.isAdmin) return;
    const isName = isIP(address) === 0;
    // Other machines would be sent to this address: to their own loopback, or to any target of the name.
    if (this.#isPublic && (isName || this.#local.has(address))) {
      throw forbiddenAddress(address, 'an IP address that other machines can reach');
    }
    if (address === caller.peerAddress || this.#allowed === undefined) return;
    if (!this.#allowed.has(address)) {
      throw forbiddenAddress(address, "the caller's own address or one inside --allow-address");
    }
  }
}

function forbiddenAddress(address: string, expected: string): ProblemError {
  const message = `expected ${expected}, got ${JSON.stringify(address)}`;
  return new ProblemError('address_forbidden', message, { field: 'address' });
}
