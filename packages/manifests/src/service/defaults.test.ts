import { expect, test } from 'vitest';
import { textOf } from '../meta/field-error.ts';
import { resourceOf } from '../reading/kinds.ts';
import { defaultService } from './defaults.ts';
import type { Service, ServiceSpec } from './service.ts';
import { validateService } from './validation.ts';

const serviceOf = (spec: ServiceSpec): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'db' },
  spec,
});

test('both address fields name the address of a client that knows one', () => {
  const spec = { clusterIP: 'None', clusterIPs: ['None'] };
  expect(defaultService(serviceOf({ clusterIP: 'None' })).spec).toMatchObject(spec);
  expect(defaultService(serviceOf({})).spec).not.toHaveProperty('clusterIPs');
});

test('an empty text or zero stands for an absent value', () => {
  const blank: ServiceSpec = {
    clusterIP: '',
    externalName: '',
    externalTrafficPolicy: '',
    healthCheckNodePort: 0,
    loadBalancerIP: '',
  };
  expect(defaultService(serviceOf(blank))).toEqual(defaultService(serviceOf({})));
});

test('an empty text is a wrong value where Go clients send nothing', () => {
  for (const field of ['internalTrafficPolicy', 'ipFamilyPolicy', 'trafficDistribution']) {
    const service = defaultService(serviceOf({ ports: [{ port: 80 }], [field]: '' }));
    expect(validateService(service).map(textOf)).toEqual([
      expect.stringContaining(`spec.${field}: Unsupported value: ""`),
    ]);
  }
});

test('a service without ports has no list of them', () => {
  const external: ServiceSpec = { type: 'ExternalName', externalName: 'a.example' };
  expect(defaultService(serviceOf(external)).spec).not.toHaveProperty('ports');
  expect(defaultService(serviceOf({ ...external, ports: [] })).spec).not.toHaveProperty('ports');
});

test('callers from outside come by any node, unless the service names none that they reach', () => {
  const policyOf = (spec: ServiceSpec) =>
    defaultService(serviceOf(spec)).spec?.externalTrafficPolicy;
  const externalIPs = ['192.0.2.1'];
  expect(policyOf({ type: 'NodePort' })).toBe('Cluster');
  expect(policyOf({ type: 'LoadBalancer', externalTrafficPolicy: '' })).toBe('Cluster');
  expect(policyOf({ externalIPs })).toBe('Cluster');
  expect(policyOf({})).toBeUndefined();
  expect(
    policyOf({ type: 'ExternalName', externalName: 'a.example', externalIPs }),
  ).toBeUndefined();
});

test('settings of an affinity that there is not are dropped', () => {
  const sessionAffinityConfig = { clientIP: { timeoutSeconds: 5 } };
  const { spec } = defaultService(serviceOf({ sessionAffinityConfig }));
  expect(spec).toMatchObject({ sessionAffinity: 'None' });
  expect(spec).not.toHaveProperty('sessionAffinityConfig');
});

test('messages name a kind with its group', () => {
  expect(resourceOf('Service')).toBe('services');
  expect(resourceOf('Deployment')).toBe('deployments.apps');
  expect(resourceOf('EndpointSlice')).toBe('endpointslices.discovery.k8s.io');
});
