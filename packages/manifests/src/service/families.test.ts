import { expect, test } from 'vitest';
import { textOf } from '../meta/field-error.ts';
import { defaultService } from './defaults.ts';
import { settleFamilies } from './families.ts';
import type { Service, ServiceSpec } from './service.ts';
import { validateService } from './validation.ts';

const PORTS = [{ port: 80 }];
const SELECTOR = { app: 'a' };

/** Every fault on a server with one family: those of the manifest, or else those of what it asks for. */
function faultsOf(given: ServiceSpec): string[] {
  const service = defaultService({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a' },
    spec: { ports: PORTS, selector: SELECTOR, ...given },
  } satisfies Service);
  const own = validateService(service);
  return (own.length > 0 ? own : settleFamilies(service.spec ?? {}, undefined).faults).map(textOf);
}

const both = (first: string, second: string) => ({ clusterIP: first, clusterIPs: [first, second] });
const external: ServiceSpec = { type: 'ExternalName', externalName: 'a.example' };
const DUAL = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
const NONE = "'None' must be the first and only value";
const IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

test.each<[string, ServiceSpec, string[]]>([
  ['nothing', {}, []],
  ['the family of the server', { ipFamilies: ['IPv4'] }, []],
  ['both if there are two', { ipFamilyPolicy: 'PreferDualStack' }, []],
  ['an address', { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }, []],
  [
    'a family that is none',
    { ipFamilies: ['nonsense'] },
    ['spec.ipFamilies[0]: Unsupported value: "nonsense": supported values: "IPv4", "IPv6"'],
  ],
  [
    'a family twice',
    { ipFamilies: ['IPv4', 'IPv4'], ipFamilyPolicy: 'PreferDualStack' },
    ['spec.ipFamilies[1]: Duplicate value: "IPv4"'],
  ],
  [
    'the other family',
    { ipFamilies: ['IPv6'] },
    ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
  ],
  [
    'both families without a word',
    { ipFamilies: ['IPv4', 'IPv6'] },
    [`spec.ipFamilyPolicy: Invalid value: "SingleStack": ${DUAL} IP families are specified`],
  ],
  [
    'both families',
    { ipFamilyPolicy: 'RequireDualStack' },
    [
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
  ],
  [
    'a policy that is none',
    { ipFamilyPolicy: 'Dual' },
    [
      'spec.ipFamilyPolicy: Unsupported value: "Dual": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
    ],
  ],
  [
    'an address of the other family',
    { clusterIP: '2000::1' },
    ['spec.clusterIPs[0]: Invalid value: ["2000::1"]: IPv6 is not configured on this cluster'],
  ],
  [
    'an address of each family',
    { ...both('10.0.0.1', '2000::1'), ipFamilyPolicy: 'PreferDualStack' },
    [
      'spec.clusterIPs[1]: Invalid value: ["10.0.0.1","2000::1"]: IPv6 is not configured on this cluster',
    ],
  ],
  [
    'None and an address',
    both('None', '2000::1'),
    [`spec.clusterIPs: Invalid value: ["None","2000::1"]: ${NONE}`],
  ],
  [
    'two addresses of a family',
    { ...both('10.0.0.1', '10.0.0.2'), ipFamilyPolicy: 'PreferDualStack' },
    [
      'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family',
    ],
  ],
  [
    'three addresses',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '2000::1', '10.0.0.2'] },
    [
      'spec.clusterIPs: Invalid value: ["10.0.0.1","2000::1","10.0.0.2"]: may only hold up to 2 values',
      'spec.clusterIPs: Invalid value: ["10.0.0.1","2000::1","10.0.0.2"]: may specify no more than one IP for each IP family',
    ],
  ],
  ['what is no address', { clusterIP: 'ten' }, [`spec.clusterIPs[0]: Invalid value: "ten": ${IP}`]],
  [
    'the list alone',
    { clusterIPs: ['10.0.0.1'] },
    [
      'spec.clusterIPs: Invalid value: ["10.0.0.1"]: must be empty when `clusterIP` is not specified',
    ],
  ],
  [
    'another first address',
    { clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.1'] },
    ['spec.clusterIPs: Invalid value: ["10.0.0.1"]: first value must match `clusterIP`'],
  ],
  [
    'an address that is not of its family',
    { clusterIP: '10.0.0.1', ipFamilies: ['IPv6'] },
    [
      'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
    ],
  ],
  [
    'an external name with families',
    { ...external, ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
    [
      'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
      'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
    ],
  ],
  [
    'a port for health checks without need',
    { type: 'LoadBalancer', healthCheckNodePort: 30_000 },
    [
      "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
  ],
  [
    'a port for health checks that is none',
    { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: -1 },
    ['spec.healthCheckNodePort: Invalid value: -1: must be between 1 and 65535, inclusive'],
  ],
])('%s', (_what, spec, faults) => {
  expect(faultsOf(spec)).toEqual(faults);
});

const familiesOf = (spec: ServiceSpec) => settleFamilies(spec, undefined).spec.ipFamilies;

test('which families a service gets', () => {
  expect(familiesOf({})).toEqual(['IPv4']);
  expect(familiesOf({ ipFamilyPolicy: 'PreferDualStack' })).toEqual(['IPv4']);
  expect(familiesOf({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] })).toEqual(['IPv4']);
  expect(familiesOf({ clusterIP: 'None', selector: SELECTOR })).toEqual(['IPv4']);
  const byHand = { clusterIP: 'None', clusterIPs: ['None'] };
  expect(familiesOf({ ...byHand, ipFamilyPolicy: 'RequireDualStack' })).toEqual(['IPv4', 'IPv6']);
  expect(familiesOf({ ...byHand, ipFamilies: ['IPv6'] })).toEqual(['IPv6', 'IPv4']);
  expect(familiesOf({ type: 'ExternalName' })).toBeUndefined();
});

const policyOf = (spec: ServiceSpec) => settleFamilies(spec, undefined).spec.ipFamilyPolicy;

test('a headless service without a selector asks for both families, every other one for one', () => {
  const headless = { clusterIP: 'None', clusterIPs: ['None'] };
  expect(policyOf(headless)).toBe('RequireDualStack');
  expect(policyOf({ ...headless, selector: SELECTOR })).toBe('SingleStack');
  expect(policyOf({ ...headless, ipFamilyPolicy: 'PreferDualStack' })).toBe('PreferDualStack');
  expect(policyOf({})).toBe('SingleStack');
  expect(policyOf(external)).toBeUndefined();
});

test('the second family is given up only by asking for one', () => {
  const before: ServiceSpec = { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' };
  const headless: ServiceSpec = { clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] };
  const given = (spec: ServiceSpec) => settleFamilies(spec, before).faults.map(textOf);
  expect(given({ ...headless, ipFamilyPolicy: 'SingleStack' })).toEqual([]);
  expect(given({ ...headless, ipFamilyPolicy: 'RequireDualStack' })).toEqual([
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary IP family',
  ]);
});
