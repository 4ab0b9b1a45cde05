import { formatAddress, type FrontendState, type FrontendStatus } from '@rollcall/service-plane';
import { expect, test } from 'vitest';
import { declare, declaredPort } from '@rollcall/client-sdk/testing';
import { conditionsOf } from './conditions.ts';
import { type AddressKind, addressesOf } from './service-address.ts';

const RULES = { nodePortAddresses: ['127.0.0.1'], loadBalancerIps: false };

function standing(kind: AddressKind, state: FrontendState, [code, detail]: string[] = []) {
  const servicePort = declaredPort(80);
  const address = { kind, protocol: 'TCP', host: '127.96.0.5', port: 80, servicePort } as const;
  const status = { state, code: code ?? '', detail: detail ?? '' } as FrontendStatus;
  return { address, status };
}

test('nothing is said while anything is on its way', () => {
  const all = [standing('ClusterIP', 'bound'), standing('NodePort', 'binding')];
  expect(conditionsOf(all, [])).toBeUndefined();
});

test('one condition for each kind of address, and the sum', () => {
  const all = [
    standing('ClusterIP', 'bound'),
    standing('NodePort', 'failed', ['EACCES', 'bind EACCES']),
    standing('NodePort', 'taken', ['', 'default/other has it']),
  ];
  expect(conditionsOf(all, [])).toEqual([
    { type: 'ClusterIPBound', status: 'True', reason: 'Bound', message: '127.96.0.5:80/TCP' },
    {
      type: 'NodePortBound',
      status: 'False',
      reason: 'PermissionDenied',
      message: '127.96.0.5:80/TCP: bind EACCES; 127.96.0.5:80/TCP: default/other has it',
    },
    {
      type: 'Programmed',
      status: 'False',
      reason: 'PermissionDenied',
      message: '127.96.0.5:80/TCP: bind EACCES; 127.96.0.5:80/TCP: default/other has it',
    },
  ]);
});

test('very many faults fit into a message', () => {
  const all = Array.from({ length: 200 }, () =>
    standing('NodePort', 'failed', ['EADDRINUSE', 'x']),
  );
  const [first] = conditionsOf(all, [])!;
  expect(first!.message.length).toBe(1_000);
  expect(first!.message).toMatch(/\.\.\.$/);
});

test('which addresses a service has', () => {
  const ports = [
    declaredPort(80, { nodePort: 30_080 }),
    declaredPort(53, { name: 'dns', protocol: 'UDP' }),
    declaredPort(132, { name: 'old', protocol: 'SCTP', nodePort: 30_132 }),
  ];
  const declared = declare('127.96.0.5', ports, {
    type: 'LoadBalancer',
    externalIPs: ['192.0.2.1', 'fd00::1', 'no address'],
    loadBalancerIPs: ['192.0.2.2'],
  });
  const formatted = (rules: typeof RULES) =>
    addressesOf(declared, rules).map((address) => `${address.kind} ${formatAddress(address)}`);
  expect(formatted(RULES)).toEqual([
    'ClusterIP 127.96.0.5:80/TCP',
    'NodePort 127.0.0.1:30080/TCP',
    'ExternalIP 192.0.2.1:80/TCP',
    'ExternalIP [fd00::1]:80/TCP',
    'ClusterIP 127.96.0.5:53/UDP',
    'ExternalIP 192.0.2.1:53/UDP',
    'ExternalIP [fd00::1]:53/UDP',
  ]);
  expect(formatted({ ...RULES, loadBalancerIps: true })).toContain(
    'LoadBalancerIP 192.0.2.2:80/TCP',
  );
  expect(addressesOf({ ...declared, isHeadless: true }, RULES)).toEqual([]);
  expect(addressesOf({ ...declared, isUnproxied: true }, RULES)).toEqual([]);
});
