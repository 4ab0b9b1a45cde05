/** An IPv4 address as an integer. */
export function numberOfIpv4(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

export function ipv4OfNumber(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** First and last address of an IPv4 network, both inclusive. */
export function rangeOfCidr(cidr: string): { readonly first: number; readonly last: number } {
  const [network = '', prefix = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(numberOfIpv4(network) / size) * size;
  return { first, last: first + size - 1 };
}
