import { isIP } from 'node:net';
import type { ManifestObject } from '@rollcall/contract';
import { addTo, type Member, membersOf, portKeyOf, type SliceSource } from './slices.ts';

type Source = Pick<
  SliceSource,
  'namespace' | 'service' | 'revision' | 'createdAt' | 'labels' | 'endpoints'
>;

/**
 * The Endpoints object of a service: one subset per set of ports, with ready and unready addresses apart. Leaves out
 * instances that are leaving, and host names: this kind has only IP addresses.
 */
export function endpointsObject(source: Source): ManifestObject {
  const { namespace, service, revision, createdAt, labels, endpoints } = source;
  const groups = new Map<string, Member[]>();
  for (const member of membersOf(endpoints)) {
    const { address, ready, terminating } = member.endpoint;
    if (isIP(address) === 0 || (terminating && !ready)) continue;
    addTo(groups, portKeyOf(member), member);
  }
  const subsets = [...groups.values()].map((members) => {
    const addressesOf = (isReady: boolean) =>
      members
        .filter(({ endpoint }) => endpoint.ready === isReady)
        .map(({ endpoint: { address, instance } }) => ({
          ip: address,
          targetRef: { kind: 'Pod', name: instance, namespace },
        }));
    const [addresses, notReadyAddresses] = [addressesOf(true), addressesOf(false)];
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
      ports: (members[0]?.ports ?? []).map(({ portName, port, protocol }) => {
        return portName === '' ? { port, protocol } : { name: portName, port, protocol };
      }),
    };
  });
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: service,
      namespace,
      resourceVersion: String(revision),
      ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }),
      labels: { ...labels },
    },
    ...(subsets.length > 0 ? { subsets } : {}),
  };
}
