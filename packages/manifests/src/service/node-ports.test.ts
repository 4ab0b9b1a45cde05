import { expect, test } from 'vitest';
import { textOf } from '../meta/field-error.ts';
import { sharedNodePortFaults } from './node-ports.ts';
import type { ServiceSpec } from './service.ts';

test('a node port is for one port number, with any protocol', () => {
  const dns = (protocol: string, port = 53) => ({ port, protocol, nodePort: 30_053 });
  expect(sharedNodePortFaults({ ports: [dns('TCP'), dns('UDP')] }, undefined)).toEqual([]);
  expect(
    sharedNodePortFaults({ ports: [dns('TCP'), dns('UDP', 54)] }, undefined).map(textOf),
  ).toEqual(['spec.ports[1].nodePort: Invalid value: 30053: provided port is already allocated']);
  expect(sharedNodePortFaults({ ports: [{ port: 1 }, { port: 2 }] }, undefined)).toEqual([]);
});

test('health checks need a node port of their own', () => {
  const balanced = (healthCheckNodePort: number): ServiceSpec => ({
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort,
    ports: [{ port: 80, nodePort: 30_080 }],
  });
  expect(sharedNodePortFaults(balanced(30_081), undefined)).toEqual([]);
  expect(sharedNodePortFaults(balanced(30_080), undefined).map(textOf)).toEqual([
    'spec.healthCheckNodePort: Invalid value: 30080: provided port is already allocated',
  ]);
  expect(sharedNodePortFaults(balanced(80), undefined).map(textOf)).toEqual([
    'spec.healthCheckNodePort: Invalid value: 80: failed to allocate requested HealthCheck NodePort 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
  ]);
  // What an earlier version gave stays.
  expect(sharedNodePortFaults(balanced(80), balanced(80))).toEqual([]);
});
