import type { ManifestObject } from '@rollcall/contract';
import { type Endpoints, SERVICE_NAME_LABEL } from '@rollcall/manifests';
import { mirroredAddresses } from '../picture/declared/mirrored.ts';
import { type AddressType, controllerRef, familyOf, sliceMeta, sliceNameOf } from './slices.ts';

/** Annotations that are about the Endpoints object alone. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
]);

type Port = NonNullable<NonNullable<Endpoints['subsets']>[number]['ports']>[number];

interface Group {
  readonly family: AddressType;
  readonly ports: readonly object[];
  /** Addresses and their targets -> endpoints. */
  readonly endpoints: Map<string, SliceEndpoint>;
}

interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean };
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly targetRef?: object;
}

/** A slice cannot hold more endpoints. Only several subsets with the same ports can have more together. */
const MAX_ENDPOINTS = 1_000;

/**
 * The slices of a hand-written Endpoints object: one per address family and set of ports, with all ports, as the
 * mirroring controller of Kubernetes makes them. A slice has everything that is written of an address.
 */
export function mirroredSlices(endpoints: Endpoints, revision: number): ManifestObject[] {
  const groups = new Map<string, Group>();
  for (const subset of endpoints.subsets ?? []) {
    const ports = (subset.ports ?? []).map(({ name = '', ...port }) => ({ name, ...port }));
    const portKey = ports.map(portKeyOf).toSorted();
    for (const { address, isReady } of mirroredAddresses(subset)) {
      const { ip = '', hostname = '', nodeName = '', targetRef } = address;
      const family = familyOf(ip);
      const key = `${family} ${portKey.join()}`;
      const group = groups.get(key) ?? { family, ports, endpoints: new Map() };
      groups.set(key, group);
      const { namespace = '', name = '' } = (targetRef ?? {}) as Record<string, string>;
      const own = `${ip} ${namespace}/${name}`;
      const known = group.endpoints.get(own);
      // If it is written twice, ready wins.
      if (known !== undefined && (known.conditions.ready || !isReady)) continue;
      group.endpoints.set(own, {
        addresses: [ip],
        conditions: { ready: isReady },
        ...(hostname === '' ? {} : { hostname }),
        ...(nodeName === '' ? {} : { nodeName }),
        ...(targetRef === undefined ? {} : { targetRef }),
      });
    }
  }
  return [...groups].flatMap(([key, { family, ports, endpoints: own }]) => {
    const all = [...own.values()];
    const stem = sliceNameOf(endpoints.metadata.name ?? '', key);
    return Array.from({ length: Math.ceil(all.length / MAX_ENDPOINTS) }, (_, i) => ({
      ...headOf(endpoints, i === 0 ? stem : `${stem}-${i}`, revision),
      addressType: family,
      endpoints: all.slice(i * MAX_ENDPOINTS, (i + 1) * MAX_ENDPOINTS),
      ports: ports.length === 0 ? null : ports,
    }));
  });
}

const portKeyOf = ({ name = '', port, protocol, appProtocol = '' }: Port) =>
  `${name} ${port} ${protocol} ${appProtocol}`;

function headOf({ metadata }: Endpoints, name: string, revision: number): ManifestObject {
  const { name: service = '', namespace = 'default', uid, creationTimestamp, labels } = metadata;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => !OWN_ANNOTATIONS.has(key),
  );
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...sliceMeta(name, { namespace, service, revision, createdAt: creationTimestamp }),
      labels: {
        ...labels,
        [SERVICE_NAME_LABEL]: service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
      },
      ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
      ...(uid === undefined ? {} : { ownerReferences: [controllerRef('Endpoints', service, uid)] }),
    },
  };
}
