import { expect, test } from 'vitest';
import { declare, declaredPort } from '@rollcall/client-sdk/testing';
import { isMeant, placementOf } from './placement.ts';

const POOL = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
const web = [declaredPort(80)];

test('any address of the pool, beginning with the one that the service has', () => {
  const declared = declare('', web);
  expect(placementOf(declared, POOL, [])).toEqual({ kind: 'candidates', addresses: POOL });
  expect(placementOf(declared, POOL, ['192.0.2.1', '127.0.0.3'])).toEqual({
    kind: 'candidates',
    addresses: ['127.0.0.3', '127.0.0.1', '127.0.0.2'],
  });
});

test('the address that it asks for and no other; one outside the pool is refused by name', () => {
  const wanted = declare('', web, { loadBalancerIP: '127.0.0.2' });
  expect(placementOf(wanted, POOL, ['127.0.0.3'])).toEqual({
    kind: 'candidates',
    addresses: ['127.0.0.2'],
  });
  const foreign = declare('', web, { loadBalancerIP: '203.0.113.1' });
  expect(placementOf(foreign, POOL, [])).toMatchObject({
    kind: 'none',
    reason: 'AddressNotInPool',
    message: expect.stringContaining('203.0.113.1') as string,
  });
});

test('nothing to carry: no address', () => {
  const declared = declare('', [declaredPort(132, { protocol: 'SCTP' })]);
  expect(placementOf(declared, POOL, [])).toMatchObject({ reason: 'ProtocolNotSupported' });
});

test('only services of type LoadBalancer and of the own class are meant', () => {
  const service = (loadBalancerClass: string) =>
    declare('', web, { type: 'LoadBalancer', loadBalancerClass });
  expect(isMeant(service(''), '')).toBe(true);
  expect(isMeant(service('internal'), '')).toBe(false);
  expect(isMeant(service('internal'), 'internal')).toBe(true);
  expect(isMeant(declare('', web, { type: 'NodePort' }), '')).toBe(false);
});
