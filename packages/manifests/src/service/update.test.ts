import { expect, test } from 'vitest';
import { textOf } from '../meta/field-error.ts';
import { defaultService } from './defaults.ts';
import type { Service, ServicePort, ServiceSpec } from './service.ts';
import { carryOver, validateServiceUpdate } from './update.ts';
import { validateService } from './validation.ts';

const serviceOf = (spec: ServiceSpec): Service =>
  defaultService({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec });

const ports = [{ port: 80 }];

test('a cluster IP may not change, but may be left out and is kept', () => {
  const before = serviceOf({ clusterIP: '127.96.0.5', clusterIPs: ['127.96.0.5'], ports });
  const other = serviceOf({ clusterIP: '127.96.0.6', ports });
  expect(validateServiceUpdate(before, other).map(textOf)).toEqual([
    'spec.clusterIPs[0]: Invalid value: ["127.96.0.6"]: may not change once set',
  ]);
  const silent = serviceOf({ ports: [{ port: 81 }] });
  expect(validateServiceUpdate(before, silent)).toEqual([]);
  expect(carryOver(before, silent).spec?.clusterIP).toBe('127.96.0.5');
});

test('a cluster IP that is cleared in one of its fields is kept in both', () => {
  const address = { clusterIP: '127.96.0.5', clusterIPs: ['127.96.0.5'] };
  const before = serviceOf({ ...address, ports });
  const cleared = serviceOf({ clusterIP: '', clusterIPs: ['127.96.0.5'], ports });
  expect(carryOver(before, cleared).spec).toMatchObject(address);
});

test('the policy of the families is kept, and one family ends the second', () => {
  const headless: ServiceSpec = { clusterIP: 'None', clusterIPs: ['None'], ports };
  const both: ServiceSpec = {
    ...headless,
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: 'RequireDualStack',
  };
  const kept = (spec: ServiceSpec) => carryOver(serviceOf(both), serviceOf(spec)).spec;
  expect(kept(headless)?.ipFamilyPolicy).toBe('RequireDualStack');
  expect(kept({ ...both, ipFamilyPolicy: 'SingleStack' })?.ipFamilies).toEqual(['IPv4']);
  const other = serviceOf({ ...both, ipFamilies: ['IPv6'] });
  expect(validateServiceUpdate(serviceOf(both), other)).toEqual([]);
});

test('the family of a cluster IP may not change', () => {
  const before = serviceOf({ clusterIP: '127.96.0.5', ipFamilies: ['IPv4'], ports });
  const after = serviceOf({ ipFamilies: ['IPv6'], ports });
  expect(validateServiceUpdate(before, after).map(textOf)).toEqual([
    'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set',
  ]);
});

test('a cluster IP ends with the type ExternalName', () => {
  const before = serviceOf({ clusterIP: '127.96.0.5', clusterIPs: ['127.96.0.5'], ports });
  const after = serviceOf({ type: 'ExternalName', externalName: 'x.example' });
  expect(validateServiceUpdate(before, after)).toEqual([]);
  expect(carryOver(before, after).spec?.clusterIP).toBeUndefined();
});

const nodePortsAfter = (before: ServiceSpec, after: ServiceSpec) =>
  carryOver(serviceOf(before), serviceOf(after)).spec?.ports?.map(({ nodePort }) => nodePort);

test('node ports are kept by name, else by port and protocol, and end with the type', () => {
  const before: ServiceSpec = {
    type: 'NodePort',
    ports: [
      { name: 'a', port: 80, nodePort: 30_080 },
      { name: 'b', port: 81, nodePort: 30_081 },
    ],
  };
  const swapped = [
    { name: 'a', port: 81 },
    { name: 'b', port: 80 },
  ];
  expect(nodePortsAfter(before, { type: 'NodePort', ports: swapped })).toEqual([30_080, 30_081]);
  const renamed = [
    { name: 'c', port: 82 },
    { name: 'd', port: 80 },
  ];
  expect(nodePortsAfter(before, { type: 'NodePort', ports: renamed })).toEqual([undefined, 30_080]);
  expect(nodePortsAfter(before, { ports: swapped })).toEqual([undefined, undefined]);
});

test('a load balancer that gets no node ports gives up those that it does not name', () => {
  const before: ServiceSpec = { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30_080 }] };
  const after: ServiceSpec = { ...before, allocateLoadBalancerNodePorts: false };
  expect(nodePortsAfter(before, after)).toEqual([30_080]);
  expect(nodePortsAfter(before, { ...after, ports })).toEqual([undefined]);
});

test('node ports end with the type, unless one is new', () => {
  const before = serviceOf({
    type: 'NodePort',
    ports: [
      { name: 'a', port: 80, nodePort: 30_080 },
      { name: 'b', port: 81, nodePort: 30_081 },
    ],
  });
  const nodePortsOf = (...given: ServicePort[]) =>
    carryOver(before, serviceOf({ ports: given })).spec?.ports?.map(({ nodePort }) => nodePort);
  const [a, b] = [
    { name: 'a', port: 90, nodePort: 30_081 },
    { name: 'b', port: 91 },
  ];
  expect(nodePortsOf(a, b)).toEqual([undefined, undefined]);
  expect(nodePortsOf(a, { ...b, nodePort: 30_099 })).toEqual([30_081, 30_099]);
});

test('what only the former type had goes, and what is changed stays to be refused', () => {
  const balanced: ServiceSpec = {
    type: 'LoadBalancer',
    ports: [{ port: 80, nodePort: 30_080 }],
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 30_999,
    loadBalancerClass: 'example.com/a',
    loadBalancerSourceRanges: ['10.0.0.0/8'],
    allocateLoadBalancerNodePorts: true,
  };
  const before = serviceOf(balanced);
  const kept = (spec: ServiceSpec) =>
    validateService(carryOver(before, serviceOf(spec))).map(({ field }) => field);
  expect(kept({ ...balanced, type: 'ClusterIP' })).toEqual([]);
  expect(kept({ ...balanced, type: 'NodePort' })).toEqual([]);
  expect(kept({ ...balanced, type: 'ExternalName', externalName: 'a.example' })).toEqual([]);
  expect(
    kept({
      ...balanced,
      type: 'ClusterIP',
      externalTrafficPolicy: 'Cluster',
      loadBalancerClass: 'example.com/b',
      loadBalancerSourceRanges: ['10.0.0.0/9'],
      allocateLoadBalancerNodePorts: false,
      ports: [{ port: 80, nodePort: 30_081 }],
    }),
  ).toEqual([
    'spec.ports[0].nodePort',
    'spec.externalTrafficPolicy',
    'spec.loadBalancerSourceRanges',
    'spec.allocateLoadBalancerNodePorts',
    'spec.loadBalancerClass',
  ]);
});

test('a policy for callers from outside goes with the external addresses', () => {
  const external: ServiceSpec = {
    ports,
    externalIPs: ['192.0.2.1'],
    externalTrafficPolicy: 'Local',
  };
  const policyOf = (spec: ServiceSpec) =>
    carryOver(serviceOf(external), serviceOf(spec)).spec?.externalTrafficPolicy;
  expect(policyOf(external)).toBe('Local');
  expect(policyOf({ ports, externalTrafficPolicy: 'Local' })).toBeUndefined();
  expect(policyOf({ ...external, type: 'ExternalName', externalName: 'a' })).toBeUndefined();
});

test('the port for health checks is kept, and may not change', () => {
  const balanced: ServiceSpec = {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    ports,
  };
  const before = serviceOf({ ...balanced, healthCheckNodePort: 30_999 });
  expect(carryOver(before, serviceOf(balanced)).spec?.healthCheckNodePort).toBe(30_999);
  const other = serviceOf({ ...balanced, healthCheckNodePort: 31_000 });
  expect(validateServiceUpdate(before, other).map(textOf)).toEqual([
    'spec.healthCheckNodePort: Forbidden: field is immutable',
  ]);
  const open = serviceOf({ ...balanced, externalTrafficPolicy: 'Cluster' });
  expect(validateServiceUpdate(before, open)).toEqual([]);
});

test('the class of a load balancer may neither change nor go', () => {
  const classed = (loadBalancerClass?: string): Service =>
    serviceOf({ type: 'LoadBalancer', ports, ...(loadBalancerClass && { loadBalancerClass }) });
  const faultsOf = (before: Service, after: Service) =>
    validateServiceUpdate(before, after).map(textOf);
  expect(faultsOf(classed('a.test/b'), classed('a.test/b'))).toEqual([]);
  expect(faultsOf(classed('a.test/b'), classed('a.test/c'))).toEqual([
    'spec.loadBalancerClass: Invalid value: "a.test/c": may not change once set',
  ]);
  expect(faultsOf(classed('a.test/b'), classed())).toEqual([
    'spec.loadBalancerClass: Invalid value: "null": may not change once set',
  ]);
});
