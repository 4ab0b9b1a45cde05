import { isIPv6 } from 'node:net';

/** What the API server says of a valid address that is not written in its one canonical form. `field`: where it is. */
export function ipWarnings(field: string, address: string): string[] {
  const canonical = canonicalIp(address);
  if (canonical === address) return [];
  return [
    `${field}: IPv6 address "${address}" should be in RFC 5952 canonical format ("${canonical}")`,
  ];
}

/** The same of a valid network; and what it says of one that may be meant as an address. */
export function cidrWarnings(field: string, network: string): string[] {
  const [address = '', prefix = ''] = network.split('/');
  const canonical = canonicalIp(address);
  const first = firstOf(canonical, Number(prefix));
  if (first !== canonical) {
    const either = `"${first}/${prefix}" or "${canonical}/${bitsOf(address)}"`;
    return [
      `${field}: CIDR value "${network}" is ambiguous in this context (should be ${either}?)`,
    ];
  }
  if (canonical === address) return [];
  return [
    `${field}: IPv6 CIDR value "${network}" should be in RFC 5952 canonical format ("${canonical}/${prefix}")`,
  ];
}

const bitsOf = (address: string) => (isIPv6(address) ? 128 : 32);

/** A URL writes IPv6 addresses in this form. What is no address stays as it is. */
function canonicalIp(address: string): string {
  const isPlain = isIPv6(address) && !address.includes('%');
  return isPlain ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** The first address of the network that an address is in. */
function firstOf(address: string, prefix: number): string {
  const size = isIPv6(address) ? 16 : 8;
  const groups = isIPv6(address) ? groupsOf(address) : address.split('.').map(Number);
  const masked = groups.map((group, i) => {
    const kept = Math.min(Math.max(prefix - i * size, 0), size);
    return group & ~(2 ** (size - kept) - 1);
  });
  if (size === 8) return masked.join('.');
  return canonicalIp(masked.map((group) => group.toString(16)).join(':'));
}

/** All eight groups of a canonical IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const numbers = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [numbers(head), numbers(tail ?? '')];
  const left = 8 - before.length - after.length;
  return [...before, ...Array.from({ length: left }, () => 0), ...after];
}
