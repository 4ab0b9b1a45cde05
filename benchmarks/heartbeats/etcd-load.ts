import type { EtcdPeer } from '../support/etcd.ts';
import { HttpLoad, requestBytes } from '../support/http-load.ts';
import type { Contestant } from '../support/rounds.ts';
import { grantLeases, GrpcKeepAlive } from './etcd-leases.ts';
import { inTurn } from './roll.ts';

const LEASES = 10_000;
const CONNECTIONS = 64;

/**
 * Like single heartbeats, with one connection each; over one connection with many messages in progress, which saves
 * etcd system calls as batches do; over the gateway.
 */
export const ETCD_WAYS = [
  'etcd, gRPC, 64 connections',
  'etcd, gRPC, 1 connection',
  'etcd, JSON',
] as const;

/**
 * Streams of the single connection and messages in progress on each: the best of seven settings tried with version 3.4.
 */
const STREAMS = 8;
const WINDOW = 8;

/** Lease keepalives of etcd, in three ways. */
export async function openEtcdLoad({ port, pid }: EtcdPeer) {
  const ids = await grantLeases(port, LEASES);
  const alone = new GrpcKeepAlive(ids, 1);
  await alone.open(port, CONNECTIONS, CONNECTIONS);
  const shared = new GrpcKeepAlive(ids, WINDOW);
  await shared.open(port, STREAMS, 1);
  const json = new HttpLoad({ port, connections: CONNECTIONS, status: 200 });
  await json.open();
  const next = inTurn(ids.map((ID) => requestBytes('POST', '/v3/lease/keepalive', { ID })));
  const contestants: Contestant[] = [
    { name: ETCD_WAYS[0], pid, run: (ms) => alone.runFor(ms) },
    { name: ETCD_WAYS[1], pid, run: (ms) => shared.runFor(ms) },
    { name: ETCD_WAYS[2], pid, run: (ms) => json.runFor(ms, next) },
  ];
  const close = () => {
    alone.close();
    shared.close();
    json.close();
  };
  return { contestants, close };
}
