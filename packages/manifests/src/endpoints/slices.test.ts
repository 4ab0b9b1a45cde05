import { expect, test } from 'vitest';
import { textOf } from '../meta/field-error.ts';
import { examine } from '../reading/kinds.ts';
import { EndpointSlice } from './endpoints.ts';
import { validateSliceUpdate } from './validation.ts';

const sliceOf = (parts: object): EndpointSlice =>
  EndpointSlice.parse({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'a' },
    addressType: 'IPv4',
    ...parts,
  });

const faultsOf = (parts: object) => examine(sliceOf(parts)).faults.map(textOf);
const endpoint = (parts: object) => ({ endpoints: [{ addresses: ['10.0.0.1'], ...parts }] });
const fqdn = (address: string) => ({
  addressType: 'FQDN',
  endpoints: [{ addresses: [address] }],
});
const many = (count: number) => Array.from({ length: count }, () => '10.0.0.1');
const zones = (...names: string[]) =>
  endpoint({ hints: { forZones: names.map((name) => ({ name })) } });

test('what is left out is filled in', () => {
  const { manifest, faults } = examine(sliceOf({ ports: [{ port: 80 }] }));
  expect(faults).toEqual([]);
  expect(manifest.ports).toEqual([{ name: '', port: 80, protocol: 'TCP' }]);
  expect(examine(sliceOf({})).manifest).not.toHaveProperty('ports');
});

test.each<[string, object, string[]]>([
  ['a port of any number', { ports: [{ name: 'all' }] }, []],
  ['a name with a dot at the end', fqdn('a.example.'), []],
  [
    'a name of one label',
    fqdn('a'),
    [
      'endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots',
    ],
  ],
  ['100 addresses', { endpoints: [{ addresses: many(100) }] }, []],
  [
    '101 addresses',
    { endpoints: [{ addresses: many(101) }] },
    ['endpoints[0].addresses: Too many: 101: must have at most 100 items'],
  ],
  [
    '1001 endpoints',
    { endpoints: Array.from({ length: 1_001 }, () => ({ addresses: ['10.0.0.1'] })) },
    ['endpoints: Too many: 1001: must have at most 1000 items'],
  ],
  [
    'no address',
    { endpoints: [{ addresses: [] }] },
    ['endpoints[0].addresses: Required value: must contain at least 1 address'],
  ],
  [
    'an address of the other family',
    { endpoints: [{ addresses: ['2001:db8::1'] }] },
    ['endpoints[0].addresses[0]: Invalid value: "2001:db8::1": must be a valid IPv4 address'],
  ],
  [
    'an address for many',
    { endpoints: [{ addresses: ['224.0.0.1'] }] },
    [
      'endpoints[0].addresses[0]: Invalid value: "224.0.0.1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    ],
  ],
  ['zones', zones('a', 'b'), []],
  ['a zone without a name', zones(''), []],
  ['a zone twice', zones('a', 'a'), ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"']],
  [
    'nine zones',
    zones(...Array.from('abcdefghi')),
    ['endpoints[0].hints.forZones: Too many: 9: must have at most 8 items'],
  ],
  [
    'a port name twice',
    { ports: [{ port: 80 }, { port: 81 }] },
    ['ports[1].name: Duplicate value: ""'],
  ],
  [
    'an empty protocol',
    { ports: [{ port: 80, protocol: '' }] },
    ['ports[0].protocol: Unsupported value: "": supported values: "SCTP", "TCP", "UDP"'],
  ],
  [
    'a protocol that is none',
    { ports: [{ port: 80, protocol: 'tcp' }] },
    ['ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"'],
  ],
])('%s', (_what, parts, faults) => {
  expect(faultsOf(parts)).toEqual(faults);
});

test.each<[string, object, string]>([
  ['a node name', endpoint({ nodeName: 'Node_1' }), 'endpoints[0].nodeName'],
  ['a zone', zones('a b'), 'endpoints[0].hints.forZones[0].name'],
  ['a protocol above', { ports: [{ port: 80, appProtocol: 'a/b/c' }] }, 'ports[0].appProtocol'],
  ['a host name', endpoint({ hostname: 'A' }), 'endpoints[0].hostname'],
])('a bad name: %s', (_what, parts, field) => {
  expect(examine(sliceOf(parts)).faults.map((fault) => fault.field)).toEqual([field]);
});

test('the kind of addresses stays what it is', () => {
  const before = sliceOf({});
  expect(validateSliceUpdate(before, sliceOf({}))).toEqual([]);
  expect(validateSliceUpdate(before, sliceOf({ addressType: 'IPv6' })).map(textOf)).toEqual([
    'addressType: Invalid value: "IPv6": field is immutable',
  ]);
});
