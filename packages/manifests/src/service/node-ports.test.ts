import { expect, test } from 'vitest';
import { textOf } from '../meta/field-error.ts';
import { sharedNodePortFaults } from './node-ports.ts';

test('a node port is for one port number, with any protocol', () => {
  const dns = (protocol: string, port = 53) => ({ port, protocol, nodePort: 30_053 });
  expect(sharedNodePortFaults({ ports: [dns('TCP'), dns('UDP')] })).toEqual([]);
  expect(sharedNodePortFaults({ ports: [dns('TCP'), dns('UDP', 54)] }).map(textOf)).toEqual([
    'spec.ports[1].nodePort: Invalid value: 30053: provided port is already allocated',
  ]);
  expect(sharedNodePortFaults({ ports: [{ port: 1 }, { port: 2 }] })).toEqual([]);
});
