import { isIP } from 'node:net';
import type { ServiceSnapshot } from '@rollcall/client-sdk';
import { clusterRecords } from './cluster-records.ts';
import { instanceRecords } from './instance-records.ts';
import { type ZoneOptions, serviceName } from './zone-options.ts';
import { aliasSet } from './record-set.ts';
import type { NamedRecords } from './named-records.ts';

/** The records of a service's names, by kind of service. Pure: created completely when the snapshot changes. */
export function recordsOf(snapshot: ServiceSnapshot, { zone, ttl }: ZoneOptions): NamedRecords {
  const { declared, endpoints } = snapshot;
  const name = serviceName(snapshot, zone);
  if (declared === null || declared.isHeadless) {
    const hasPorts = declared === null || declared.ports.length > 0;
    return instanceRecords(endpoints, { name, ttl, hasPorts });
  }
  if (declared.type !== 'ExternalName') {
    return clusterRecords({ declared, endpoints }, name, ttl);
  }
  const { externalName } = declared;
  // The target of an alias is a name: as in CoreDNS, an address is none.
  const isName = isIP(externalName.replace(/\.$/, '')) === 0;
  return { sets: new Map(isName ? [['', aliasSet(externalName)]] : []), pointers: [] };
}
