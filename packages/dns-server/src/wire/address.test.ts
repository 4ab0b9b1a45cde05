import { SocketAddress } from 'node:net';
import { assert, ipV4, ipV6, property } from 'fast-check';
import { expect, test } from 'vitest';
import { addressBytes } from './address.ts';

const text = (bytes: Uint8Array) =>
  Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16)).join(
    ':',
  );

test('addresses become their bytes, as the system reads them', () => {
  assert(
    property(ipV4(), (address) => {
      expect(addressBytes(address)!.join('.')).toBe(address);
    }),
  );
  assert(
    property(ipV6(), (address) => {
      const same = (one: string) => new SocketAddress({ address: one, family: 'ipv6' }).address;
      expect(same(text(addressBytes(address)!))).toBe(same(address));
    }),
  );
});

test.each(['', 'nginx', '1.2.3', '1.2.3.4.5', ':::', 'fe80'])('%j is no address', (address) => {
  expect(addressBytes(address)).toBeUndefined();
});

test('a zone id does not count', () => {
  expect(addressBytes('fe80::1%eth0')).toEqual(addressBytes('fe80::1'));
});
