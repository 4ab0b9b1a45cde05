import { ServiceReport } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { withPeer } from './report-origin.ts';

const report = (...loadBalancer: object[]) => ServiceReport.parse({ loadBalancer });
const LINK_LOCAL = { peerAddress: 'fe80::1%eth0' };

test('an entry without an address gets that of the connection', () => {
  const ports = [{ port: 80, protocol: 'TCP' }];
  const given = report({ ports }, { hostname: 'lb.test' });
  expect(withPeer(given, { peerAddress: '10.0.0.7' }).loadBalancer).toEqual([
    { ip: '10.0.0.7', ports },
    { hostname: 'lb.test' },
  ]);
});

test('one that is valid on its link only is refused where it is needed', () => {
  const named = report({ ip: '10.0.0.7' });
  expect(withPeer(named, LINK_LOCAL)).toBe(named);
  expect(() => withPeer(report({}), LINK_LOCAL)).toThrow(
    `expected the address that callers reach it at: the connection's own, "fe80::1%eth0", is valid only on this link`,
  );
});
