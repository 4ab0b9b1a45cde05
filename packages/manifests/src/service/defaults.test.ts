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

test('a headless service has None in both fields and a family, as in Kubernetes', () => {
  for (const spec of [{ clusterIP: 'None' }, { clusterIPs: ['None'] }]) {
    expect(defaultService(serviceOf(spec)).spec).toMatchObject({
      clusterIP: 'None',
      clusterIPs: ['None'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    });
  }
  expect(defaultService(serviceOf({})).spec).not.toHaveProperty('clusterIPs');
});

test('messages name a kind with its group', () => {
  expect(resourceOf('Service')).toBe('services');
  expect(resourceOf('Deployment')).toBe('deployments.apps');
  expect(resourceOf('EndpointSlice')).toBe('endpointslices.discovery.k8s.io');
});
