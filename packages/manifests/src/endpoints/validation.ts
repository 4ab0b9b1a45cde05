import { isIPv4, isIPv6 } from 'node:net';
import { Protocol } from '@rollcall/contract';
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
} from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import {
  checkLabel1123,
  checkNonSpecialIp,
  checkPortNumber,
  checkSubdomain1123,
} from '../meta/names.ts';
import type { EndpointPort, Endpoints, EndpointSlice } from './endpoints.ts';

const PROTOCOLS: readonly string[] = Protocol.options;
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];

/** Maximum number of endpoints in a hand-written slice. */
const MAX_SLICE_ENDPOINTS = 1_000;

/** Every fault of hand-written Endpoints, in the words of the Kubernetes API server. */
export function validateEndpoints({ metadata, subsets = [] }: Endpoints): FieldError[] {
  const faults = validateMeta(metadata, checkSubdomain1123);
  for (const [i, subset] of subsets.entries()) {
    const at = `subsets[${i}]`;
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    if (addresses.length + notReadyAddresses.length === 0) {
      faults.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    }
    for (const [name, list] of Object.entries({ addresses, notReadyAddresses })) {
      for (const [n, { ip = '', hostname }] of list.entries()) {
        const field = `${at}.${name}[${n}]`;
        faults.push(...checkNonSpecialIp(ip).map((fault) => invalid(`${field}.ip`, ip, fault)));
        if (hostname === undefined || hostname === '') continue;
        faults.push(
          ...checkLabel1123(hostname).map((fault) => invalid(`${field}.hostname`, hostname, fault)),
        );
      }
    }
    faults.push(...validatePorts(ports, `${at}.ports`));
  }
  return faults;
}

/** Every fault of a hand-written EndpointSlice. */
export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const { metadata, addressType = '', endpoints = [], ports = [] } = slice;
  const faults = validateMeta(metadata, checkSubdomain1123);
  if (addressType === '') faults.push(required('addressType'));
  else if (!ADDRESS_TYPES.includes(addressType)) {
    faults.push(notSupported('addressType', addressType, ADDRESS_TYPES));
  }
  if (endpoints.length > MAX_SLICE_ENDPOINTS) {
    const detail = `must have at most ${MAX_SLICE_ENDPOINTS} items`;
    faults.push(invalid('endpoints', endpoints.length, detail));
  }
  for (const [i, { addresses = [], hostname }] of endpoints.entries()) {
    const at = `endpoints[${i}]`;
    if (addresses.length === 0) {
      faults.push(required(`${at}.addresses`, 'must contain at least 1 address'));
    }
    for (const [n, address] of addresses.entries()) {
      const field = `${at}.addresses[${n}]`;
      faults.push(
        ...addressFaults(addressType, address).map((fault) => invalid(field, address, fault)),
      );
    }
    if (hostname === undefined || hostname === '') continue;
    faults.push(
      ...checkLabel1123(hostname).map((fault) => invalid(`${at}.hostname`, hostname, fault)),
    );
  }
  return [...faults, ...validatePorts(ports, 'ports')];
}

function addressFaults(addressType: string, address: string): string[] {
  if (addressType === 'FQDN') return checkSubdomain1123(address);
  if (addressType === 'IPv4' && !isIPv4(address)) return ['must be an IPv4 address'];
  if (addressType === 'IPv6' && !isIPv6(address)) return ['must be an IPv6 address'];
  return checkNonSpecialIp(address);
}

function validatePorts(ports: readonly EndpointPort[], at: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap(({ name = '', port = 0, protocol = 'TCP' }, i) => {
    const field = `${at}[${i}]`;
    const faults: FieldError[] = [];
    if (name === '' && ports.length > 1 && at.startsWith('subsets')) {
      faults.push(required(`${field}.name`));
    }
    if (names.has(name)) faults.push(duplicate(`${field}.name`, name));
    names.add(name);
    if (name !== '') {
      faults.push(...checkLabel1123(name).map((fault) => invalid(`${field}.name`, name, fault)));
    }
    faults.push(...checkPortNumber(port).map((fault) => invalid(`${field}.port`, port, fault)));
    if (!PROTOCOLS.includes(protocol)) {
      faults.push(notSupported(`${field}.protocol`, protocol, PROTOCOLS));
    }
    return faults;
  });
}
