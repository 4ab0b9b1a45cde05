import { isIPv4, isIPv6 } from 'node:net';
import { Protocol } from '@rollcall/contract';
import {
  duplicate,
  type FieldError,
  invalid,
  invalidEach,
  notSupported,
  required,
  tooMany,
} from '../meta/field-error.ts';
import { validateMeta } from '../meta/meta-validation.ts';
import { checkNonSpecialIp } from '../addresses/ip.ts';
import {
  checkLabel1123,
  checkLabelValue,
  checkPortNumber,
  checkQualifiedName,
  checkSubdomain1123,
} from '../meta/names.ts';
import type { EndpointPort, Endpoints, EndpointSlice } from './endpoints.ts';

const PROTOCOLS: readonly string[] = Protocol.options;
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];

/** Limits of a hand-written slice, of one of its endpoints, and of the hints of an endpoint. */
const MAX = {
  endpoints: 1_000,
  ports: 20_000,
  addresses: 100,
  topologyLabels: 16,
  hints: 8,
} as const;

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
      for (const [n, { ip = '', hostname = '', nodeName }] of list.entries()) {
        const field = `${at}.${name}[${n}]`;
        faults.push(...invalidEach(`${field}.ip`, ip, checkNonSpecialIp));
        if (hostname !== '')
          faults.push(...invalidEach(`${field}.hostname`, hostname, checkLabel1123));
        if (nodeName !== undefined)
          faults.push(...invalidEach(`${field}.nodeName`, nodeName, checkSubdomain1123));
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
  if (endpoints.length > MAX.endpoints)
    faults.push(tooMany('endpoints', endpoints.length, MAX.endpoints));
  else
    faults.push(
      ...endpoints.flatMap((one, i) => validateEndpoint(one, `endpoints[${i}]`, addressType)),
    );
  if (ports.length > MAX.ports) return [...faults, tooMany('ports', ports.length, MAX.ports)];
  return [...faults, ...validatePorts(ports, 'ports')];
}

/** Faults of replacing one slice by another. */
export function validateSliceUpdate(before: EndpointSlice, after: EndpointSlice): FieldError[] {
  const { addressType = '' } = after;
  if (addressType === before.addressType) return [];
  return [invalid('addressType', addressType, 'field is immutable')];
}

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number];

function validateEndpoint(endpoint: SliceEndpoint, at: string, addressType: string): FieldError[] {
  const { addresses = [], hostname, nodeName, deprecatedTopology = {}, hints } = endpoint;
  const field = `${at}.addresses`;
  const labels = Object.entries(deprecatedTopology);
  const faults: FieldError[] = [];
  if (addresses.length === 0) faults.push(required(field, 'must contain at least 1 address'));
  if (addresses.length > MAX.addresses)
    faults.push(tooMany(field, addresses.length, MAX.addresses));
  for (const [n, address] of addresses.entries()) {
    faults.push(...addressFaults(addressType, address, `${field}[${n}]`));
  }
  if (nodeName !== undefined) {
    faults.push(...invalidEach(`${at}.nodeName`, nodeName, checkSubdomain1123));
  }
  if (labels.length > MAX.topologyLabels)
    faults.push(tooMany(`${at}.deprecatedTopology`, labels.length, MAX.topologyLabels));
  for (const [key, value] of labels) {
    const invalidLabel = (text: string) => (fault: string) =>
      invalid(`${at}.deprecatedTopology`, text, fault);
    faults.push(...checkQualifiedName(key).map(invalidLabel(key)));
    faults.push(...checkLabelValue(value).map(invalidLabel(value)));
  }
  if (hostname !== undefined) {
    faults.push(...invalidEach(`${at}.hostname`, hostname, checkLabel1123));
  }
  return hints === undefined ? faults : [...faults, ...hintFaults(hints, `${at}.hints`)];
}

/** For which zones and nodes an endpoint is meant. */
function hintFaults(hints: NonNullable<SliceEndpoint['hints']>, at: string): FieldError[] {
  const { forZones = [], forNodes = [] } = hints;
  return [
    ...namedFaults(forZones, `${at}.forZones`, checkLabelValue),
    ...namedFaults(forNodes, `${at}.forNodes`, checkSubdomain1123),
  ];
}

function namedFaults(
  list: readonly { readonly name?: string | undefined }[],
  at: string,
  check: (name: string) => string[],
): FieldError[] {
  if (list.length > MAX.hints) return [tooMany(at, list.length, MAX.hints)];
  const seen = new Set<string>();
  return list.flatMap(({ name = '' }, i) => {
    const field = `${at}[${i}].name`;
    const again = seen.has(name) ? [duplicate(field, name)] : [];
    seen.add(name);
    return [...again, ...invalidEach(field, name, check)];
  });
}

function addressFaults(addressType: string, address: string, at: string): FieldError[] {
  if (addressType === 'FQDN') return domainFaults(address, at);
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return [];
  const isOfType = addressType === 'IPv4' ? isIPv4(address) : isIPv6(address);
  if (!isOfType) return [invalid(at, address, `must be a valid ${addressType} address`)];
  return checkNonSpecialIp(address).map((fault) => invalid(at, address, fault));
}

/** At least two labels, and perhaps a dot at the end. */
function domainFaults(address: string, at: string): FieldError[] {
  if (address === '') return [required(at)];
  const name = address.replace(/\.$/, '');
  const faults = checkSubdomain1123(name);
  if (faults.length > 0) return [invalid(at, name, faults.join(','))];
  const labels = name.split('.');
  if (labels.length < 2)
    return [invalid(at, name, 'should be a domain with at least two segments separated by dots')];
  return labels.flatMap((label) => checkLabel1123(label).map((fault) => invalid(at, label, fault)));
}

/** A port of a slice may have no number: it then stands for all ports. */
function validatePorts(ports: readonly EndpointPort[], at: string) {
  const isSlice = at === 'ports';
  const names = new Set<string>();
  return ports.flatMap(({ name = '', port, protocol = 'TCP', appProtocol }, i) => {
    const field = `${at}[${i}]`;
    const faults: FieldError[] = [];
    if (name === '' && ports.length > 1 && !isSlice) faults.push(required(`${field}.name`));
    if (isSlice && names.has(name)) faults.push(duplicate(`${field}.name`, name));
    names.add(name);
    if (name !== '') {
      faults.push(...checkLabel1123(name).map((fault) => invalid(`${field}.name`, name, fault)));
    }
    if (port !== undefined || !isSlice) {
      const number = port ?? 0;
      faults.push(
        ...checkPortNumber(number).map((fault) => invalid(`${field}.port`, number, fault)),
      );
    }
    if (!PROTOCOLS.includes(protocol)) {
      faults.push(notSupported(`${field}.protocol`, protocol, PROTOCOLS));
    }
    if (appProtocol !== undefined) {
      faults.push(
        ...checkQualifiedName(appProtocol).map((fault) =>
          invalid(`${field}.appProtocol`, appProtocol, fault),
        ),
      );
    }
    return faults;
  });
}
