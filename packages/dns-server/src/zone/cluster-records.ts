import type { DeclaredService, ServiceSnapshot } from '@rollcall/client-sdk';
import { TYPE } from '../wire/codes.ts';
import { addressAnswers, addressRecords } from './address-records.ts';
import { backendRecords } from './instance-records.ts';
import type { NamedRecords } from './named-records.ts';
import { portSets, withAllPorts } from './port-names.ts';
import { recordSet } from './record-set.ts';

interface ClusterDeclaration {
  readonly declared: DeclaredService;
}

/** Shared by the addresses and ports of an answer, as in CoreDNS. With a single target a weight has no effect. */
const WHOLE_WEIGHT = 100;

/**
 * Names of a service with cluster IPs: all resolve to these, whatever its endpoints are, except the names of single
 * instances, which exist so that reverse lookups of their addresses are correct.
 */
export function clusterRecords(
  { declared, endpoints }: Pick<ServiceSnapshot, 'endpoints'> & ClusterDeclaration,
  name: string,
  ttl: number,
): NamedRecords {
  const { clusterIPs } = declared;
  const additionals = addressRecords(clusterIPs, ttl, name);
  const portsWith = (weight: number) =>
    declared.ports.map(({ name: portName, protocol, port }) => ({
      portName,
      protocol,
      records: [{ type: TYPE.SRV, ttl, priority: 0, weight, port, target: name }],
      additionals,
    }));
  const share = (count: number) => Math.max(1, Math.floor(WHOLE_WEIGHT / Math.max(1, count)));
  const each = clusterIPs.length;
  const own = recordSet(...addressAnswers(addressRecords(clusterIPs, ttl)));
  const sets = new Map([
    ['', withAllPorts(own, portsWith(share(declared.ports.length * each)))],
    ...portSets(portsWith(share(each))),
  ]);
  // Thousands of instances may come and go behind a cluster IP, and their names are rarely
  // asked for: create them on demand.
  let made: NamedRecords | undefined;
  const backends = () => (made ??= backendRecords(endpoints, name, ttl));
  return {
    sets: { get: (relative) => sets.get(relative) ?? backends().sets.get(relative) },
    get pointers() {
      const clusters = clusterIPs.map((address) => ({ address, name, isCluster: true }));
      return [...clusters, ...backends().pointers];
    },
  };
}
