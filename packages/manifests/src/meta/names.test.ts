import { expect, test } from 'vitest';
import { checkNonSpecialIp } from './names.ts';

test.each([
  ['0.0.0.0', 'unspecified'],
  ['::', 'unspecified'],
  ['0:0:0:0:0:0:0:0', 'unspecified'],
  ['169.254.1.1', 'link-local range'],
  ['fe80::1', 'link-local range'],
  ['febf::1', 'link-local range'],
  ['::ffff:169.254.1.1', 'link-local range'],
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
