import { expect, test } from 'vitest';
import { checkCidr, checkNonSpecialIp } from './ip.ts';

test.each([
  ['0.0.0.0', 'may not be unspecified (0.0.0.0)'],
  ['::', 'may not be unspecified (::)'],
  ['0:0:0:0:0:0:0:0', 'unspecified'],
  ['169.254.1.1', 'link-local range'],
  ['fe80::1', 'link-local range'],
  ['febf::1', 'link-local range'],
  ['::ffff:169.254.1.1', 'must not be an IPv4-mapped IPv6 address'],
  ['::ffff:a00:1', 'must not be an IPv4-mapped IPv6 address'],
  ['10.0.0.010', 'must not have leading 0s'],
  ['2001:db8::1%eth0', 'valid IP address'],
  ['224.0.0.1', 'multicast'],
  ['ff02::1', 'multicast'],
  ['10.0.0.300', 'valid IP address'],
])('%s is no address of a backend: %s', (address, fault) => {
  expect(checkNonSpecialIp(address)).toMatchObject([expect.stringContaining(fault)]);
});

test.each(['10.0.0.1', '127.0.0.1', '::1', 'fe8::1', 'fec0::1', '2001:db8::1', '169.253.0.1'])(
  '%s is one',
  (address) => {
    expect(checkNonSpecialIp(address)).toEqual([]);
  },
);

test.each([
  ['10.0.0.0/8', []],
  ['10.1.2.3/8', []],
  ['2001:db8::/32', []],
  ['0.0.0.0/0', []],
  ['10.0.0.0/08', ['must not have leading 0s in IP or prefix length']],
  ['010.0.0.0/8', ['must not have leading 0s in IP or prefix length']],
  ['::ffff:10.0.0.0/104', ['must not have an IPv4-mapped IPv6 address']],
])('the network %s', (network, faults) => {
  expect(checkCidr(network)).toEqual(faults);
});

test.each([
  '',
  '/',
  '10.0.0.0',
  '10.0.0.0/',
  '/8',
  '10.0.0.0/33',
  '::/129',
  'fe80::%1/64',
  '::/-1',
  '::/1/2',
])('%j is no network', (network) => {
  const detail = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
  expect(checkCidr(network)).toEqual([detail]);
});
