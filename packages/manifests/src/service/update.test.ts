import { expect, test } from 'vitest';
import { textOf } from '../field-error.ts';
import { defaultService } from './defaults.ts';
import type { Service, ServiceSpec } from './service.ts';
import { carryOver, validateServiceUpdate } from './update.ts';

const serviceOf = (spec: ServiceSpec): Service =>
  defaultService({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec });

const ports = [{ port: 80 }];

test('a cluster IP may not change, but may be left out and is kept', () => {
  const before = serviceOf({ clusterIP: '127.96.0.5', clusterIPs: ['127.96.0.5'], ports });
  const other = serviceOf({ clusterIP: '127.96.0.6', ports });
  expect(validateServiceUpdate(before, other).map(textOf)).toEqual([
    'spec.clusterIPs[0]: Invalid value: "127.96.0.6": field is immutable',
  ]);
  const silent = serviceOf({ ports: [{ port: 81 }] });
  expect(validateServiceUpdate(before, silent)).toEqual([]);
  expect(carryOver(before, silent).spec?.clusterIP).toBe('127.96.0.5');
});

test('a cluster IP ends with the type ExternalName', () => {
  const before = serviceOf({ clusterIP: '127.96.0.5', clusterIPs: ['127.96.0.5'], ports });
  const after = serviceOf({ type: 'ExternalName', externalName: 'x.example' });
  expect(validateServiceUpdate(before, after)).toEqual([]);
  expect(carryOver(before, after).spec?.clusterIP).toBeUndefined();
});

test('node ports are kept by port and protocol, and end with the type', () => {
  const before = serviceOf({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] });
  const after = serviceOf({
    type: 'NodePort',
    ports: [
      { name: 'b', port: 81 },
      { name: 'a', port: 80 },
    ],
  });
  expect(carryOver(before, after).spec?.ports?.map(({ nodePort }) => nodePort)).toEqual([
    undefined,
    30_080,
  ]);
  const internal = serviceOf({ ports });
  expect(carryOver(before, internal).spec?.ports?.[0]?.nodePort).toBeUndefined();
});
