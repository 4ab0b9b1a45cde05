import { expect, test } from 'vitest';
import { readManifests } from '../reading/read.ts';

/** The faults of Endpoints with one address, or of a slice. */
const faultsOf = (parts: object) =>
  readManifests(JSON.stringify({ metadata: { name: 'db' }, ...parts })).manifests.flatMap(
    ({ faults }) => faults.map(({ field, message }) => `${field}: ${message}`),
  );
const endpoints = (address: object) => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  subsets: [{ addresses: [{ ip: '10.0.0.1', ...address }], ports: [{ port: 80 }] }],
});
const slice = (endpoint: object) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], ...endpoint }],
});

const TARGET = {
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: 'default',
  name: 'db-0',
  uid: 'a',
  resourceVersion: '1',
  fieldPath: 'spec',
};

test('what an endpoint stands for has only the fields of an object reference', () => {
  expect(faultsOf(endpoints({ targetRef: TARGET }))).toEqual([]);
  expect(faultsOf(slice({ targetRef: TARGET }))).toEqual([]);
  const targetRef = { ...TARGET, nome: 'db' };
  expect(faultsOf(endpoints({ targetRef }))).toEqual([
    expect.stringContaining('unknown field "subsets[0].addresses[0].targetRef.nome"'),
  ]);
  expect(faultsOf(slice({ targetRef }))).toEqual([
    expect.stringContaining('unknown field "endpoints[0].targetRef.nome"'),
  ]);
});

test('a hint has only a name', () => {
  expect(faultsOf(slice({ hints: { forZones: [{ name: 'a', weight: 2 }] } }))).toEqual([
    expect.stringContaining('unknown field "endpoints[0].hints.forZones[0].weight"'),
  ]);
  expect(faultsOf(slice({ hints: { forRegions: [] } }))).toEqual([
    expect.stringContaining('unknown field "endpoints[0].hints.forRegions"'),
  ]);
});

test('nodes and hosts of hand-written addresses', () => {
  expect(faultsOf(endpoints({ nodeName: 'node-1.rack', hostname: 'db-0' }))).toEqual([]);
  expect(faultsOf(endpoints({ nodeName: 'Node_1', hostname: 'db.0' }))).toEqual([
    expect.stringContaining('subsets[0].addresses[0].hostname: Invalid value: "db.0": a lowercase'),
    expect.stringContaining(
      'subsets[0].addresses[0].nodeName: Invalid value: "Node_1": a lowercase',
    ),
  ]);
});
