import { expect, test } from 'vitest';
import { cidrWarnings, ipWarnings } from './ip-warnings.ts';

test.each(['10.0.0.1', '2001:db8::1', '::', '::1', '2001:db8:0:1:1:1:1:1', 'fe80::1%0', 'x', ''])(
  '%j needs no other form',
  (address) => {
    expect(ipWarnings('ip', address)).toEqual([]);
  },
);

test.each([
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:0::1', '2001:db8::1'],
  ['2001:0db8::1', '2001:db8::1'],
  ['2001:db8:0:0:1:0:0:0', '2001:db8:0:0:1::'],
  ['2001:db8::192.0.2.1', '2001:db8::c000:201'],
])('%s should be %s', (address, canonical) => {
  expect(ipWarnings('ip', address)).toEqual([
    `ip: IPv6 address "${address}" should be in RFC 5952 canonical format ("${canonical}")`,
  ]);
});

test.each(['10.0.0.0/8', '0.0.0.0/0', '10.1.2.3/32', '2001:db8::/32', '::/0', '2001:db8::1/128'])(
  '%s is one network',
  (network) => {
    expect(cidrWarnings('range', network)).toEqual([]);
  },
);

test.each([
  ['10.1.2.3/8', '10.0.0.0/8', '10.1.2.3/32'],
  ['10.1.2.3/31', '10.1.2.2/31', '10.1.2.3/32'],
  ['10.1.2.3/0', '0.0.0.0/0', '10.1.2.3/32'],
  ['2001:db8:0:0::1/64', '2001:db8::/64', '2001:db8::1/128'],
  ['2001:db8:ff::/36', '2001:db8::/36', '2001:db8:ff::/128'],
  ['2001:db8:1:2:3:4:5:6/113', '2001:db8:1:2:3:4:5:0/113', '2001:db8:1:2:3:4:5:6/128'],
])('%s is a network or an address', (network, one, other) => {
  expect(cidrWarnings('range', network)).toEqual([
    `range: CIDR value "${network}" is ambiguous in this context (should be "${one}" or "${other}"?)`,
  ]);
});

test('a network that is not canonical', () => {
  expect(cidrWarnings('range', '2001:db8:0:0::/64')).toEqual([
    'range: IPv6 CIDR value "2001:db8:0:0::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
  ]);
});
