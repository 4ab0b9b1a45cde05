import { expect, test } from 'vitest';
import { examine, type Manifest } from './reading/kinds.ts';
import { readManifests } from './reading/read.ts';
import { usualWarnings } from './warnings.ts';

function warningsOf(object: object, isNew = true): string[] {
  const [read] = readManifests(JSON.stringify(object)).manifests;
  expect(read?.faults).toEqual([]);
  return usualWarnings(examine<Manifest>(read!.manifest!).manifest, isNew);
}

const service = (spec: object, annotations: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', annotations },
  spec: { ports: [{ port: 80 }], ...spec },
});

test.each<[string, object, string[]]>([
  ['nothing', {}, []],
  [
    'headless',
    {
      clusterIP: 'None',
      loadBalancerIP: '192.0.2.1',
      externalIPs: ['192.0.2.2'],
      sessionAffinity: 'ClientIP',
    },
    [
      'spec.loadBalancerIP is ignored for headless services',
      'spec.externalIPs is ignored for headless services',
      'spec.SessionAffinity is ignored for headless services',
    ],
  ],
  ['headless, with no such fields', { clusterIP: 'None' }, []],
  [
    'an external name',
    { externalName: 'a.example' },
    ['spec.externalName is ignored when spec.type is not "ExternalName"'],
  ],
  [
    'external addresses of a name',
    { type: 'ExternalName', externalName: 'a.example', externalIPs: ['192.0.2.2'] },
    ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
  ],
  [
    'a former name of a way to distribute',
    { trafficDistribution: 'PreferClose' },
    ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
  ],
  ['a way to distribute', { trafficDistribution: 'PreferSameNode' }, []],
  [
    'addresses in other forms',
    {
      type: 'LoadBalancer',
      externalIPs: ['2001:db8::1', '2001:DB8::2'],
      loadBalancerIP: '2001:db8:0::3',
      loadBalancerSourceRanges: ['10.1.0.0/8', ' 2001:db8:0::/48 '],
    },
    [
      'spec.externalIPs[1]: IPv6 address "2001:DB8::2" should be in RFC 5952 canonical format ("2001:db8::2")',
      'spec.loadBalancerIP: IPv6 address "2001:db8:0::3" should be in RFC 5952 canonical format ("2001:db8::3")',
      'spec.loadBalancerSourceRanges[0]: CIDR value "10.1.0.0/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.0.0/32"?)',
      'spec.loadBalancerSourceRanges[1]: IPv6 CIDR value "2001:db8:0::/48" should be in RFC 5952 canonical format ("2001:db8::/48")',
    ],
  ],
])('a service: %s', (_what, spec, warnings) => {
  expect(warningsOf(service(spec))).toEqual(warnings);
});

test('a former annotation of a service', () => {
  const [mode, hints] = ['topology-mode', 'topology-aware-hints'].map(
    (name) => `service.kubernetes.io/${name}`,
  );
  expect(warningsOf(service({}, { [mode!]: 'auto' }))).toEqual([]);
  expect(warningsOf(service({}, { [hints!]: 'auto' }))).toEqual([
    `annotation ${hints} is deprecated, please use ${mode} instead`,
  ]);
});

test('addresses of endpoints in other forms', () => {
  const [address, canonical] = ['2001:db8:0::1', '2001:db8::1'];
  const said = `IPv6 address "${address}" should be in RFC 5952 canonical format ("${canonical}")`;
  const metadata = { name: 'db' };
  const list = [{ ip: canonical }, { ip: address }];
  const subsets = [{ addresses: list, notReadyAddresses: list, ports: [{ port: 80 }] }];
  expect(warningsOf({ apiVersion: 'v1', kind: 'Endpoints', metadata, subsets })).toEqual([
    `subsets[0].addresses[1].ip: ${said}`,
    `subsets[0].notReadyAddresses[1].ip: ${said}`,
  ]);
  const slice = (addressType: string, ...addresses: string[]) =>
    warningsOf({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata,
      addressType,
      endpoints: [{ addresses }],
    });
  expect(slice('IPv6', canonical, address)).toEqual([`endpoints[0].addresses[1]: ${said}`]);
  expect(slice('FQDN', 'db.example')).toEqual([]);
});

test('the annotation of a class, when an Ingress is created without the field', () => {
  const ingress = (spec: object) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', annotations: { 'kubernetes.io/ingress.class': 'a' } },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } }, ...spec },
  });
  expect(warningsOf(ingress({}))).toEqual([
    `annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`,
  ]);
  expect(warningsOf(ingress({}), false)).toEqual([]);
  expect(warningsOf(ingress({ ingressClassName: 'a' }))).toEqual([]);
});
