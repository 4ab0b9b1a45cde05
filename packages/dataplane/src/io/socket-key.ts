import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import type { SocketEnds } from './send-queues.ts';

const IS_LITTLE_ENDIAN = endianness() === 'LE';

/** Both ends in the format of Linux's /proc/net/tcp and tcp6; undefined for an address that it cannot contain. */
export function socketKey(ends: SocketEnds): string | undefined {
  const local = hexAddress(ends.localAddress);
  const remote = hexAddress(ends.remoteAddress);
  if (local === undefined || remote === undefined) return undefined;
  return `${local}:${hexPort(ends.localPort)} ${remote}:${hexPort(ends.remotePort)}`;
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

function hexAddress(address: string): string | undefined {
  const bytes = isIPv4(address) ? ipv4Bytes(address) : ipv6Bytes(address);
  if (bytes === undefined) return undefined;
  const hex = Buffer.from(bytes);
  // The kernel prints 32-bit words, each in the byte order of this machine.
  if (IS_LITTLE_ENDIAN) hex.swap32();
  return hex.toString('hex').toUpperCase();
}

function ipv4Bytes(address: string): number[] {
  return address.split('.').map(Number);
}

function ipv6Bytes(address: string): number[] | undefined {
  const [plain = ''] = address.split('%');
  const halves = plain.split('::');
  if (halves.length > 2 || !plain.includes(':')) return undefined;
  const head = groupBytes(halves[0]!);
  const tail = groupBytes(halves[1] ?? '');
  const zeros = 16 - head.length - tail.length;
  if (zeros < 0 || (halves.length === 1 && zeros > 0)) return undefined;
  return [...head, ...Array<number>(zeros).fill(0), ...tail];
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return ipv4Bytes(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}
