import { isIPv4 } from 'node:net';

/**
 * The family and the bits of a network such as 10.1.0.0/16, as text. The text of each network that is part of it begins with
 * this one. Undefined: it is no network.
 */
export function networkBits(network: string): string | undefined {
  const [address = '', length = ''] = network.trim().split('/');
  const bits = isIPv4(address) ? `4:${bitsOfIPv4(address)}` : `6:${bitsOfIPv6(address)}`;
  const end = 2 + Number(length);
  return end <= bits.length ? bits.slice(0, end) : undefined;
}

const bitsOf = (value: number, length: number): string => value.toString(2).padStart(length, '0');

function bitsOfIPv4(address: string): string {
  return address
    .split('.')
    .map((part) => bitsOf(Number(part), 8))
    .join('');
}

function bitsOfIPv6(address: string): string {
  const [head = '', tail] = address.split('::');
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')];
  const missing = tail === undefined ? 0 : 128 - first.length - last.length;
  return `${first}${'0'.repeat(Math.max(0, missing))}${last}`;
}

function groupsOf(part: string): string {
  const groups = part === '' ? [] : part.split(':');
  return groups
    .map((group) => (group.includes('.') ? bitsOfIPv4(group) : bitsOf(parseInt(group, 16), 16)))
    .join('');
}
