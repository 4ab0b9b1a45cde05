import type { DeclaredPort, DeclaredService, Endpoint } from '@rollcall/contract';
import { expect, test } from 'vitest';
import { seededRandom } from '../testing/fakes.ts';
import { PoolTarget } from './pool-target.ts';
import { ServicePools } from './service-pools.ts';

const http = { name: 'http', protocol: 'TCP', port: 80 } as DeclaredPort;
const dns = { name: 'dns', protocol: 'UDP', port: 53 } as DeclaredPort;

function declared(ports: DeclaredPort[], changes: Partial<DeclaredService> = {}): DeclaredService {
  return { ports, scheduler: '', affinityMs: 0, ...changes } as DeclaredService;
}

function endpoint(instance: string, { name, protocol, port }: DeclaredPort): Endpoint {
  const place = { address: '127.0.0.1', port, portName: name, protocol };
  const state = { weight: 1, tier: 0, ready: true, serving: true, terminating: false };
  return { id: `${instance}/${name}`, instance, ...place, ...state } as Endpoint;
}

function setUp() {
  return new ServicePools({
    name: 'default/web',
    scheduler: 'rr',
    affinityClients: 100,
    create: (one: Endpoint) => new PoolTarget(one),
    ejection: { failuresInARow: 5, baseMs: 1_000, maxMs: 30_000, maxEjectedRatio: 0.5 },
    nowMs: () => 0,
    random: seededRandom(3),
  });
}

test('endpoints go to the port of their name and protocol', () => {
  const pools = setUp();
  const other = endpoint('c', { ...http, protocol: 'UDP' });
  pools.setEndpoints(declared([http, dns]), [endpoint('a', http), endpoint('b', dns), other]);
  const idsOf = (port: DeclaredPort) => [...pools.poolOf(port)!.targets()].map(({ id }) => id);
  expect([idsOf(http), idsOf(dns)]).toEqual([['a/http'], ['b/dns']]);
  expect(pools.poolOf(dns)!.name).toBe('default/web:dns');
});

test('the members of a port that is no more have left', () => {
  const pools = setUp();
  const all = [endpoint('a', http), endpoint('b', dns)];
  expect(pools.setEndpoints(declared([http, dns]), all)).toEqual([]);
  const pool = pools.poolOf(http);
  expect(pools.setEndpoints(declared([http]), all).map(({ id }) => id)).toEqual(['b/dns']);
  expect(pools.poolOf(dns)).toBeUndefined();
  expect(pools.poolOf(http)).toBe(pool);
});

test('a scheduler that does not exist is as none', () => {
  const pools = setUp();
  const named = (scheduler: string) => {
    pools.setEndpoints(declared([http], { scheduler }), []);
    return pools.scheduler;
  };
  expect(['lc', 'fair', 'toString', ''].map(named)).toEqual(['lc', 'rr', 'rr', 'rr']);
});

test('bonds outlive changes of endpoints, and not a change of their duration', () => {
  const pools = setUp();
  const all = [endpoint('a', http), endpoint('b', http)];
  const pick = () => pools.poolOf(http)!.snapshot().pick([], { clientAddress: 'x' })!.id;
  pools.setEndpoints(declared([http], { affinityMs: 1_000 }), all);
  const first = pick();
  pools.setEndpoints(declared([http], { affinityMs: 1_000 }), [...all, endpoint('c', http)]);
  expect([pick(), pick(), pick()]).toEqual([first, first, first]);
  expect(pools.boundClients).toBe(1);
  pools.setEndpoints(declared([http], { affinityMs: 2_000 }), all);
  expect(pools.boundClients).toBe(0);
  pools.setEndpoints(declared([http]), all);
  pick();
  expect(pools.boundClients).toBe(0);
});
