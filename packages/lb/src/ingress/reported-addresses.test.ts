import { expect, test } from 'vitest';
import { IngressRouting } from '../config/ingress-schema.ts';
import { addressesOf } from './reported-addresses.ts';

const LISTENING = {
  web: 'http://127.0.0.1:8080',
  secure: 'https://127.0.0.1',
  six: 'http://[::1]:81',
  every: 'http://0.0.0.0',
  'every-six': 'http://[::]:8080',
  other: 'http://10.0.0.9:9',
};
const tcp = (...ports: number[]) => ports.map((port) => ({ port, protocol: 'TCP' }));

test.each<[string, object, unknown[]]>([
  ['one listener', { listener: 'web' }, [{ ip: '127.0.0.1', ports: tcp(8080) }]],
  [
    'two on one address',
    { listener: ['web', 'secure'] },
    [{ ip: '127.0.0.1', ports: tcp(443, 8080) }],
  ],
  [
    'two on two addresses',
    { listener: ['web', 'six'] },
    [
      { ip: '127.0.0.1', ports: tcp(8080) },
      { ip: '::1', ports: tcp(81) },
    ],
  ],
  ['all addresses', { listener: 'every' }, [{ ports: tcp(80) }]],
  ['all addresses of IPv6', { listener: 'every-six' }, [{ ports: tcp(8080) }]],
  [
    'what the configuration says',
    { listener: ['every', 'web'], addresses: ['lb.example', '192.0.2.7'] },
    [
      { hostname: 'lb.example', ports: tcp(80, 8080) },
      { ip: '192.0.2.7', ports: tcp(80, 8080) },
    ],
  ],
  ['one that does not listen', { listener: 'gone' }, []],
])('%s', (_what, settings, expected) => {
  expect(addressesOf(IngressRouting.parse(settings), LISTENING)).toEqual(expected);
});

test.each(['0.0.0.0', '::', '', '1.2.3', 'no host', 'a..b', '-a', 'x'.repeat(300)])(
  '%j is no address that callers reach',
  (address) => {
    expect(IngressRouting.safeParse({ listener: 'web', addresses: [address] }).success).toBe(false);
  },
);
