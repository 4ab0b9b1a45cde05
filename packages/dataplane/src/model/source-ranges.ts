import { BlockList, isIP } from 'node:net';

/**
 * Returns a function that checks whether an address is in one of the networks (`10.0.0.0/8`, `2001:db8::/32`);
 * invalid networks match nothing.
 */
export function createSourceRanges(cidrs: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', prefix = ''] = cidr.trim().split('/');
    const family = isIP(network);
    if (family === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128))
      continue;
    list.addSubnet(network, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
