import { expect, test } from 'vitest';
import { AddressRules } from './address-rules.ts';

const poolsOf = (serviceCidr: string) =>
  new AddressRules({ serviceCidr, allowExternalIp: [] }).pools;

test.each([
  ['10.0.0.0/29', 0],
  ['10.0.0.0/28', 0],
  ['10.0.0.0/27', 16],
  ['10.0.0.0/24', 16],
  ['10.0.0.0/23', 32],
  ['10.0.0.0/20', 256],
  ['10.0.0.0/12', 256],
])('of %s, %i addresses are kept for services that name theirs', (cidr, reserved) => {
  expect(poolsOf(cidr).clusterIps.reserved).toBe(reserved);
});

test('a network and the node ports have their ends', () => {
  const { clusterIps, nodePorts } = poolsOf('10.0.0.0/24');
  expect(clusterIps.last - clusterIps.first).toBe(253);
  expect(nodePorts).toEqual({ first: 30_000, last: 32_767, reserved: 86 });
});
