import { BlockList, isIP } from 'node:net';
import { ProblemError, type Registration } from '@rollcall/contract';
import type { InstanceRef } from '../store/record.ts';
import { type Caller, mayRegister } from './caller.ts';

/** What a registration may not exceed. */
export interface RegistrationLimits {
  readonly maxLabels: number;
  readonly maxLabelLength: number;
  readonly maxInstancesPerService: number;
}

export interface AddressPolicy {
  /** Whether the server is reachable from other machines. */
  readonly isPublic: boolean;
  /** CIDRs that a non-admin token may register besides its own address; empty = any. */
  readonly allowed: readonly string[];
}

const LOCAL = ['127.0.0.0/8', '169.254.0.0/16', '::1/128', 'fe80::/10', '0.0.0.0/8', '::/128'];

/** Decides what a caller may put on the roll. */
export class Admission {
  readonly #limits: RegistrationLimits;
  readonly #isPublic: boolean;
  readonly #allowed: BlockList | undefined;
  readonly #local = blockListOf(LOCAL);

  constructor(limits: RegistrationLimits, addresses: AddressPolicy) {
    this.#limits = limits;
    this.#isPublic = addresses.isPublic;
    this.#allowed = addresses.allowed.length > 0 ? blockListOf(addresses.allowed) : undefined;
  }

  /** Throws `forbidden` unless the caller may register under the service. */
  checkService(caller: Caller, { namespace, service }: InstanceRef): void {
    if (mayRegister(caller.grants, namespace, service)) return;
    throw new ProblemError(
      'forbidden',
      `the token does not cover register:${service} in namespace ${namespace}`,
    );
  }

  /** Throws unless labels and address are the caller's to set, and within the limits. */
  checkRegistration(caller: Caller, ref: InstanceRef, registration: Registration): void {
    this.checkService(caller, ref);
    this.checkLabels(caller, ref, registration.labels);
    const { address } = registration;
    if (address !== undefined) this.#checkAddress(caller, address);
  }

  /** `labels` is what the caller sets, null removes one; `known` is what they are merged into. */
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

  #checkAddress(caller: Caller, address: string): void {
    if (caller.grants.isAdmin || address === caller.peerAddress) return;
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const isName = isIP(address) === 0;
    if (this.#isPublic && (isName ? address === 'localhost' : this.#local.check(address, family))) {
      throw forbiddenAddress(address, 'an address that other machines can reach');
    }
    if (this.#allowed === undefined) return;
    if (isName || !this.#allowed.check(address, family)) {
      throw forbiddenAddress(address, "the caller's own address or one inside --allow-address");
    }
  }
}

function forbiddenAddress(address: string, expected: string): ProblemError {
  const message = `expected ${expected}, got ${JSON.stringify(address)}`;
  return new ProblemError('address_forbidden', message, { field: 'address' });
}

function blockListOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', prefix] = cidr.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(network, Number(prefix ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return list;
}
