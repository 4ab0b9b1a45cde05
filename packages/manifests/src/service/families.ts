import { isIPv6 } from 'node:net';
import { duplicate, type FieldError, invalid, notSupported } from '../meta/field-error.ts';
import { checkIp } from '../addresses/ip.ts';
import type { ServiceSpec } from './service.ts';

const FAMILIES = ['IPv4', 'IPv6'];
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
/** The only family that cluster IPs have. */
const OWN_FAMILY = 'IPv4';

const familyOf = (address: string) => (isIPv6(address) ? 'IPv6' : 'IPv4');

/** Whether it has no cluster IP, because its spec says so. */
export function isHeadlessSpec({ clusterIP, clusterIPs = [] }: ServiceSpec): boolean {
  return clusterIP === 'None' || clusterIPs[0] === 'None';
}

/** Faults of cluster IPs and families that every API server finds, whatever families it serves. */
export function validateFamilies(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const { ipFamilies = [], ipFamilyPolicy } = spec;
  const faults = agreementFaults(spec);
  for (const [i, family] of ipFamilies.entries()) {
    const at = `spec.ipFamilies[${i}]`;
    if (!FAMILIES.includes(family)) faults.push(notSupported(at, family, FAMILIES));
    if (ipFamilies.indexOf(family) < i) faults.push(duplicate(at, family));
  }
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy))
    faults.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, POLICIES));
  return [...faults, ...addressFaults(spec)];
}

/** `clusterIP` must be the first of `clusterIPs`, which the defaults fill in if it is alone. */
function agreementFaults({ clusterIP = '', clusterIPs = [] }: ServiceSpec): FieldError[] {
  const [first] = clusterIPs;
  if (first === undefined || (first === clusterIP && first !== '')) return [];
  const detail =
    clusterIP === ''
      ? 'must be empty when `clusterIP` is not specified'
      : 'first value must match `clusterIP`';
  return [invalid('spec.clusterIPs', clusterIPs, detail)];
}

function addressFaults(spec: ServiceSpec): FieldError[] {
  const { ipFamilies = [] } = spec;
  const clusterIPs = clusterIpsOf(spec);
  const faults: FieldError[] = [];
  const field = 'spec.clusterIPs';
  for (const [i, address] of clusterIPs.entries()) {
    if (i === 0 && address === 'None') {
      if (clusterIPs.length === 1) continue;
      faults.push(invalid(field, clusterIPs, "'None' must be the first and only value"));
    } else {
      faults.push(...checkIp(address).map((fault) => invalid(`${field}[${i}]`, address, fault)));
    }
  }
  const areAddresses = faults.length === 0;
  if (clusterIPs.length > 2)
    faults.push(invalid(field, clusterIPs, 'may only hold up to 2 values'));
  // Only addresses have families that can be compared.
  if (!areAddresses || isHeadlessSpec(spec)) return faults;
  if (clusterIPs.length > 1 && new Set(clusterIPs.map(familyOf)).size !== clusterIPs.length)
    faults.push(invalid(field, clusterIPs, 'may specify no more than one IP for each IP family'));
  for (const [i, address] of clusterIPs.entries()) {
    const expected = ipFamilies[i];
    if (expected === undefined || !FAMILIES.includes(expected) || familyOf(address) === expected)
      continue;
    const detail = `expected an ${expected} value as indicated by \`ipFamilies[${i}]\``;
    faults.push(invalid(`${field}[${i}]`, address, detail));
  }
  return faults;
}

function clusterIpsOf({ clusterIP = '', clusterIPs = [] }: ServiceSpec): readonly string[] {
  return clusterIPs.length > 0 || clusterIP === '' ? clusterIPs : [clusterIP];
}

/**
 * Faults of a valid service on a server whose cluster IPs have one family, and the policy and families that it gets there.
 * A headless service without a selector may have both: its addresses are written by hand. `before`: what it replaces.
 */
export function settleFamilies(
  given: ServiceSpec,
  before: ServiceSpec | undefined,
): { readonly spec: ServiceSpec; readonly faults: readonly FieldError[] } {
  if (given.type === 'ExternalName') return { spec: given, faults: [] };
  const policy = given.ipFamilyPolicy ?? usualFamilyPolicy(given);
  const spec = { ...given, ipFamilyPolicy: policy };
  const clusterIPs = clusterIpsOf(spec);
  const families = [...(spec.ipFamilies ?? [])];
  const field = 'spec.ipFamilyPolicy';
  const faults: FieldError[] = [];
  const isReduced = families.length > 0 && families.length < (before?.ipFamilies ?? []).length;
  if (isReduced && policy !== 'SingleStack') {
    const detail = "must be 'SingleStack' to release the secondary IP family";
    faults.push(invalid(field, policy, detail));
  }
  const refuseSeveral = (what: string) => {
    const detail = `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
    faults.push(invalid(field, policy, detail));
  };
  if (policy === 'SingleStack' && clusterIPs.length === 2) refuseSeveral('cluster IPs');
  if (policy === 'SingleStack' && families.length === 2) refuseSeveral('IP families');
  const isHeadless = isHeadlessSpec(spec);
  for (const [i, address] of isHeadless ? [] : clusterIPs.entries()) {
    const family = familyOf(address);
    if (i < families.length) continue;
    if (family === OWN_FAMILY) families.push(family);
    else {
      const detail = `${family} is not configured on this cluster`;
      faults.push(invalid(`spec.clusterIPs[${i}]`, clusterIPs, detail));
    }
  }
  if (faults.length > 0) return { spec, faults };
  if (isHeadless && hasNoSelector(spec)) {
    const [first = OWN_FAMILY] = families;
    const other = first === 'IPv4' ? 'IPv6' : 'IPv4';
    const both = policy === 'SingleStack' ? [first] : [first, other];
    return { spec: { ...spec, ipFamilies: families.length < 2 ? both : families }, faults };
  }
  if (policy === 'RequireDualStack')
    faults.push(invalid(field, policy, 'this cluster is not configured for dual-stack services'));
  for (const [i, family] of families.entries()) {
    if (family === OWN_FAMILY) continue;
    faults.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  }
  const own = families.length === 0 ? [OWN_FAMILY] : families;
  return { spec: { ...spec, ipFamilies: own }, faults };
}

/** The policy of a service that names none. */
function usualFamilyPolicy(spec: ServiceSpec): string {
  return isHeadlessSpec(spec) && hasNoSelector(spec) ? 'RequireDualStack' : 'SingleStack';
}

const hasNoSelector = ({ selector = {} }: ServiceSpec) => Object.keys(selector).length === 0;
