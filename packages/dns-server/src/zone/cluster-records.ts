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

/** With a single target the weight has no effect. The value is the same as in CoreDNS. */
const WEIGHT = 100;

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
  const ports = declared.ports.map(({ name: portName, protocol, port }) => ({
    portName,
    protocol,
    records: [{ type: TYPE.SRV, ttl, priority: 0, weight: WEIGHT, port, target: name }],
    additionals,
  }));
  const own = recordSet(...addressAnswers(addressRecords(clusterIPs, ttl)));
  const sets = new Map([['', withAllPorts(own, ports)], ...portSets(ports)]);
  // Thousands of instances may come and go behind a cluster IP, and their names are rarely
  // asked for: create them on demand.
  let made: NamedRecords | undefined;
  const backends = () => (made ??= backendRecords(endpoints, name, ttl));
  return {
    sets: { get: (relative) => sets.get(relative) ?? backends().sets.get(relative) },
    get pointers() {
      return [...clusterIPs.map((address) => ({ address, name })), ...backends().pointers];
    },
  };
}
