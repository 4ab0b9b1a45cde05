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

/** One target only: its weight decides nothing. As CoreDNS has it. */
const WEIGHT = 100;

/**
 * Names of a service with cluster IPs: all lead to these, whatever its endpoints are, but for those of single instances,
 * which are there so that what a reverse lookup says of their addresses is true.
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
  // Thousands of instances come and go behind a cluster IP that nobody asks for one by one.
  let made: NamedRecords | undefined;
  const backends = () => (made ??= backendRecords(endpoints, name, ttl));
  return {
    sets: { get: (relative) => sets.get(relative) ?? backends().sets.get(relative) },
    get pointers() {
      return [...clusterIPs.map((address) => ({ address, name })), ...backends().pointers];
    },
  };
}
