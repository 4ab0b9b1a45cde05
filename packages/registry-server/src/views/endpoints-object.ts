import { isIP } from 'node:net';
import { hostnameOf, type ManifestObject } from '@rollcall/contract';
import {
  addTo,
  HEADLESS_LABEL,
  type Member,
  membersOf,
  portKeyOf,
  type SliceSource,
} from './slices.ts';

function byAddress({ endpoint: a }: Member, { endpoint: b }: Member): number {
  if (a.address === b.address) return 0;
  return a.address < b.address ? -1 : 1;
}

/**
 * The Endpoints object of a service: one subset per set of ports, with ready and unready addresses apart. Leaves out
 * instances that are leaving, and host names: this kind has only IP addresses. Addresses are sorted as texts, as in
 * Kubernetes.
 */
export function endpointsObject(source: SliceSource): ManifestObject {
  const { namespace, service, revision, createdAt, endpoints, isHeadless, hasPorts } = source;
  const groups = new Map<string, Member[]>();
  for (const member of membersOf(endpoints)) {
    const { address, ready, terminating } = member.endpoint;
    if (isIP(address) === 0 || (terminating && !ready)) continue;
    addTo(groups, hasPorts ? portKeyOf(member) : '', member);
  }
  const subsets = [...groups.values()].map((members) => {
    const addressesOf = (isReady: boolean) =>
      members
        .filter(({ endpoint }) => endpoint.ready === isReady)
        .toSorted(byAddress)
        .map(({ endpoint: { address, instance } }) => ({
          ip: address,
          ...(isHeadless ? { hostname: hostnameOf(instance) } : {}),
          targetRef: { kind: 'Pod', name: instance, namespace },
        }));
    const [addresses, notReadyAddresses] = [addressesOf(true), addressesOf(false)];
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
      ...(hasPorts ? { ports: portsOf(source, members[0]?.ports ?? []) } : {}),
    };
  });
  const { [HEADLESS_LABEL]: _, ...labels } = source.labels;
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: service,
      namespace,
      resourceVersion: String(revision),
      ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }),
      labels: {
        ...labels,
        'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
        ...(isHeadless ? { [HEADLESS_LABEL]: '' } : {}),
      },
    },
    ...(subsets.length > 0 ? { subsets } : {}),
  };
}

function portsOf({ appProtocols }: SliceSource, ports: Member['ports']): object[] {
  return ports.map(({ portName: name, port, protocol }) => ({
    ...(name === '' ? {} : { name }),
    port,
    protocol,
    ...(appProtocols.has(name) ? { appProtocol: appProtocols.get(name) } : {}),
  }));
}
