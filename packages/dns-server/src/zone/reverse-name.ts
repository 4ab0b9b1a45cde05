import { addressBytes } from '../wire/address.ts';

const HEX = /^[0-9a-f]$/;
const IPV4_LABELS = 4;
const IPV6_LABELS = 32;

/** One text for every spelling of an address; undefined when the text is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const bytes = addressBytes(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? bytes.join('.') : Buffer.from(bytes).toString('hex');
}

/** The canonical address of a name below in-addr.arpa or ip6.arpa; undefined when the name is incomplete. */
export function addressOfReverseName(labels: readonly string[]): string | undefined {
  const digits = labels.slice(0, -2).toReversed();
  switch (labels.slice(-2).join('.')) {
    case 'in-addr.arpa':
      return digits.length === IPV4_LABELS ? canonicalAddress(digits.join('.')) : undefined;
    case 'ip6.arpa':
      return digits.length === IPV6_LABELS && digits.every((digit) => HEX.test(digit))
        ? digits.join('')
        : undefined;
    default:
      return undefined;
  }
}
