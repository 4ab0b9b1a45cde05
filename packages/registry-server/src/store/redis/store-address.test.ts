import { expect, test } from 'vitest';
import { storeAddressOf } from './store-address.ts';

const host = (port: number, name = '127.0.0.1') => ({ host: name, port });

test.each([
  ['redis://127.0.0.1', { kind: 'single', hosts: [host(6_379)], db: 0, tls: false }],
  ['redis://127.0.0.1:7000/3', { kind: 'single', hosts: [host(7_000)], db: 3 }],
  [
    'rediss://ann:p%40ss@redis.example:6380',
    { tls: true, username: 'ann', password: 'p@ss', hosts: [host(6_380, 'redis.example')] },
  ],
  ['redis://:secret@[::1]:1', { password: 'secret', hosts: [host(1, '::1')] }],
  [
    'redis-sentinel://127.0.0.1,127.0.0.1:7001/roll/2',
    { kind: 'sentinel', master: 'roll', db: 2, hosts: [host(26_379), host(7_001)] },
  ],
  [
    'redis-cluster://127.0.0.1:7000,127.0.0.1:7001',
    { kind: 'cluster', hosts: [host(7_000), host(7_001)] },
  ],
])('%s', (url, expected) => {
  expect(storeAddressOf(url)).toMatchObject(expected);
});

test.each([
  'http://127.0.0.1',
  'redis://',
  'redis://a,b',
  'redis://a:0',
  'redis://a:70000',
  'redis://a/x',
  'redis://a/1/2',
  'redis://a?db=1',
  'redis-sentinel://a:1',
  'redis-cluster://a:1/roll',
])('%s is refused, and not repeated: it may hold a password', (url) => {
  expect(() => storeAddressOf(url)).toThrow(/^expected redis:/);
});
