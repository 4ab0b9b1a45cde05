import type { EtcdPeer } from '../support/etcd.ts';
import { HttpLoad, requestBytes } from '../support/http-load.ts';
import type { Contestant } from '../support/rounds.ts';
import { grantLeases, GrpcKeepAlive } from './etcd-leases.ts';
import { inTurn } from './roll.ts';

const LEASES = 10_000;
const CONNECTIONS = 64;

/** Streams and messages under way on each: the best of seven settings tried with version 3.4. */
const STREAMS = 8;
const WINDOW = 8;

/** Lease keepalives of etcd, over its own protocol and over its JSON gateway. */
export async function openEtcdLoad({ port, pid }: EtcdPeer) {
  const ids = await grantLeases(port, LEASES);
  const grpc = new GrpcKeepAlive(ids, WINDOW);
  await grpc.open(port, STREAMS, 1);
  const json = new HttpLoad({ port, connections: CONNECTIONS, status: 200 });
  await json.open();
  const next = inTurn(ids.map((ID) => requestBytes('POST', '/v3/lease/keepalive', { ID })));
  const contestants: Contestant[] = [
    { name: 'etcd, gRPC', pid, run: (ms) => grpc.runFor(ms) },
    { name: 'etcd, JSON', pid, run: (ms) => json.runFor(ms, next) },
  ];
  const close = () => {
    grpc.close();
    json.close();
  };
  return { contestants, close };
}
