import { isIPv4, isIPv6 } from 'node:net';
import { TYPE } from './codes.ts';

const GROUPS = 8;

/** The bytes of an IPv4 or IPv6 address (without zone id), or undefined when the text is not an address. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text)) return undefined;
  const plain = text.replace(/%.*$/, '');
  const [head = '', tail] = plain.split('::');
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const middle = Array.from({ length: GROUPS - front.length - back.length }, () => 0);
  const groups = [...front, ...middle, ...back];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The record type for an address of this length. */
export function addressType(address: Uint8Array): typeof TYPE.A | typeof TYPE.AAAA {
  return address.length === 4 ? TYPE.A : TYPE.AAAA;
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
