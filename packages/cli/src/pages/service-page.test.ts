import type { ManifestObject } from '@rollcall/client-sdk';
import { expect, test } from 'vitest';
import type { Context } from '../session/context.ts';
import { servicePage } from './service-page.ts';

/** The lines of a service's page below its ports, for a registry that knows nothing else about it. */
async function linesOf(spec: object, ingress: readonly object[] = []): Promise<string[]> {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop', namespace: 'default' },
    spec,
    status: { loadBalancer: { ingress } },
  } satisfies ManifestObject;
  const call = async () => ({ items: [], events: [], reports: [] });
  const parts = { rollcall: { call }, clock: { wallMs: () => 0 } };
  return (await servicePage(parts as unknown as Context, service)).split('\n');
}

test('how a balancer delivers is beside its address, where it is known', async () => {
  const places = [
    { ip: '192.0.2.1', ipMode: 'VIP' },
    { ip: '192.0.2.2', ipMode: 'Proxy' },
    { ip: '192.0.2.3' },
    { hostname: 'lb.example' },
  ];
  expect(await linesOf({ type: 'LoadBalancer' }, places)).toContain(
    'LoadBalancer Ingress:  192.0.2.1 (VIP), 192.0.2.2 (Proxy), 192.0.2.3, lb.example',
  );
});

test('which endpoints callers prefer is the last of its policies', async () => {
  const lines = await linesOf({
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Cluster',
    healthCheckNodePort: 32_000,
    loadBalancerSourceRanges: ['192.0.2.0/24', '198.51.100.0/24'],
    trafficDistribution: 'PreferSameZone',
  });
  expect(lines.slice(-8)).toEqual([
    'Session Affinity:            None',
    'External Traffic Policy:     Local',
    'Internal Traffic Policy:     Cluster',
    'HealthCheck NodePort:        32000',
    'LoadBalancer Source Ranges:  192.0.2.0/24,198.51.100.0/24',
    'Traffic Distribution:        PreferSameZone',
    'Events:                      <none>',
    '',
  ]);
});
