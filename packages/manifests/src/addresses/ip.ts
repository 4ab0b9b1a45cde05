import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Returns what is wrong with an address, in the words of the API server; empty when it is valid. */
type Check = (text: string) => string[];

const MAPPED = new BlockList();
MAPPED.addSubnet('::ffff:0:0', 96, 'ipv6');

const hasZone = (text: string) => text.includes('%');

/** An IPv4 address that is written as one of IPv6. */
function isMappedIp(text: string): boolean {
  return isIPv6(text) && MAPPED.check(text, 'ipv6');
}

/** Checks an address. Not everybody reads the same address where there are leading zeros, or IPv4 inside of IPv6. */
export const checkIp: Check = (text) => {
  if (isIP(text) !== 0 && !hasZone(text))
    return isMappedIp(text) ? ['must not be an IPv4-mapped IPv6 address'] : [];
  if (isIpSloppily(text) && !hasZone(text)) return ['must not have leading 0s'];
  return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
};

/** Checks a network as `address/prefix length`. */
export const checkCidr: Check = (text) => {
  const slash = text.lastIndexOf('/');
  const [address, prefix] = [text.slice(0, Math.max(slash, 0)), text.slice(slash + 1)];
  const isNumber = /^\d+$/.test(prefix) && Number(prefix) <= (address.includes(':') ? 128 : 32);
  if (!isNumber || !isIpSloppily(address) || hasZone(address))
    return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
  if (isMappedIp(address)) return ['must not have an IPv4-mapped IPv6 address'];
  const isPlain = isIP(address) !== 0 && prefix === String(Number(prefix));
  return isPlain ? [] : ['must not have leading 0s in IP or prefix length'];
};

/** Whether it is an IP address, also one with leading zeros. */
export function isIpSloppily(text: string): boolean {
  const octets = text.split('.');
  const isIpv4 = octets.length === 4 && octets.every((one) => /^\d+$/.test(one) && +one <= 255);
  return isIpv4 || isIP(text) !== 0;
}

type Network = readonly [address: string, prefix: number];

/** Networks in which no endpoint of a service may be, with what the Kubernetes API server says. */
const SPECIAL_NETWORKS: readonly (readonly [(address: string) => string, readonly Network[]])[] = [
  [
    (address) => `may not be unspecified (${address})`,
    [
      ['0.0.0.0', 32],
      ['::', 128],
    ],
  ],
  [
    () => 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    [
      ['169.254.0.0', 16],
      ['fe80::', 10],
    ],
  ],
  [
    () => 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    [
      ['224.0.0.0', 24],
      ['ff02::', 16],
    ],
  ],
];
const SPECIAL = SPECIAL_NETWORKS.map(([faultOf, networks]) => {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, familyOf(network));
  return { faultOf, list };
});

/**
 * Checks an address of an endpoint. Unlike Kubernetes, this accepts loopback addresses: a service and its backend may be on
 * the same machine.
 */
export const checkNonSpecialIp: Check = (text) => {
  const faults = checkIp(text);
  if (faults.length > 0) return faults;
  const found = SPECIAL.find(({ list }) => list.check(text, familyOf(text)));
  return found === undefined ? [] : [found.faultOf(text)];
};

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
