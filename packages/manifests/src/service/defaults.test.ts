import { expect, test } from 'vitest';
import { resourceOf } from '../reading/kinds.ts';
import { defaultService } from './defaults.ts';
import type { Service, ServiceSpec } from './service.ts';

const serviceOf = (spec: ServiceSpec): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'db' },
  spec,
});

test('a headless service has None in both fields; without a selector it asks for both families', () => {
  expect(defaultService(serviceOf({ clusterIP: 'None' })).spec).toMatchObject({
    clusterIP: 'None',
    clusterIPs: ['None'],
    ipFamilyPolicy: 'RequireDualStack',
  });
  const selector = { app: 'db' };
  expect(defaultService(serviceOf({ clusterIP: 'None', selector })).spec).toMatchObject({
    ipFamilyPolicy: 'SingleStack',
  });
  expect(defaultService(serviceOf({})).spec).not.toHaveProperty('clusterIPs');
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
