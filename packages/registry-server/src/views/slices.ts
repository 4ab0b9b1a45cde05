import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { type Endpoint, hostnameOf, type ManifestObject } from '@rollcall/contract';
import { SERVICE_NAME_LABEL } from '@rollcall/manifests';

/** Maximum number of endpoints in a derived slice. */
const MAX_ENDPOINTS = 100;

const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
/** On slices and Endpoints of a headless service. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';
/** Labels with a meaning of their own on slices: the service's values do not count. */
const RESERVED: ReadonlySet<string> = new Set([SERVICE_NAME_LABEL, MANAGED_BY, HEADLESS_LABEL]);

export type AddressType = 'IPv4' | 'IPv6' | 'FQDN';

/** The input for the slices of a service. */
export interface SliceSource {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  readonly isHeadless: boolean;
  /** False: the service has no ports, so neither do its slices. */
  readonly hasPorts: boolean;
  /** The families of a declared service: each has at least one slice, if only an empty one. */
  readonly families: readonly AddressType[];
  /** Whether endpoints have hints to prefer their own zone. */
  readonly isZonePreferred: boolean;
  readonly uid: string | undefined;
  /** When the service was created; ISO 8601. */
  readonly createdAt: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Name of a port of the service -> its appProtocol. */
  readonly appProtocols: ReadonlyMap<string, string>;
  readonly endpoints: readonly Endpoint[];
}

/** One instance or address with all its ports. */
export interface Member {
  readonly endpoint: Endpoint;
  readonly ports: readonly Pick<Endpoint, 'portName' | 'port' | 'protocol'>[];
}

const digestOf = (text: string) => createHash('sha256').update(text).digest();

/** Groups endpoints of the same instance and address, in the order of the endpoints. */
export function membersOf(endpoints: readonly Endpoint[]): Member[] {
  const members = new Map<string, { endpoint: Endpoint; ports: Endpoint[] }>();
  for (const endpoint of endpoints) {
    const { id, portName, address } = endpoint;
    const owner = `${id.slice(0, id.length - portName.length)}@${address}`;
    const known = members.get(owner);
    if (known === undefined) members.set(owner, { endpoint, ports: [endpoint] });
    else known.ports.push(endpoint);
  }
  return [...members.values()];
}

/** Adds a member to its group. Mutates, since a group may have thousands. */
export function addTo(groups: Map<string, Member[]>, key: string, member: Member): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [member]);
  else group.push(member);
}

/** The ports of a member as one text. Members with the same text may share a slice or subset. */
export function portKeyOf({ ports }: Member): string {
  return ports
    .map(({ portName, port, protocol }) => `${portName} ${port} ${protocol}`)
    .toSorted()
    .join(',');
}

export function familyOf(address: string): AddressType {
  if (isIPv4(address)) return 'IPv4';
  return isIPv6(address) ? 'IPv6' : 'FQDN';
}

/** The name of a slice: its service, and a digest of what is its own. */
export function sliceNameOf(service: string, key: string): string {
  // Instances on one machine each have their own ports: a thousand sets must not collide in one name.
  return `${service}-${digestOf(key).toString('hex').slice(0, 10)}`;
}

/** What the endpoints of one slice have in common. */
const keyOf = ({ hasPorts }: SliceSource, member: Member) =>
  `${familyOf(member.endpoint.address)} ${hasPorts ? portKeyOf(member) : ''}`;

/**
 * The endpoint slices of a service: one set per address family and set of ports, at most 100 endpoints each. The slice
 * of an endpoint depends only on the digest of its id and on how often its set was divided. So every server makes the
 * same slices, and an endpoint that comes or goes changes one slice (or divides it in two). A family without endpoints
 * has one empty slice without ports, as in Kubernetes.
 */
export function slicesOf(source: SliceSource): ManifestObject[] {
  const groups = new Map<string, Member[]>();
  for (const member of membersOf(source.endpoints)) addTo(groups, keyOf(source, member), member);
  const slices = [...groups].flatMap(([key, members]) => {
    const stem = sliceNameOf(source.service, key);
    const dealt = members.map((member) => ({ member, digest: digestOf(member.endpoint.id) }));
    return [...divided(dealt, '')].map(([suffix, own]) =>
      sliceOf(source, `${stem}${suffix === '' ? '' : `-${suffix}`}`, own),
    );
  });
  const filled = new Set(slices.map(({ addressType }) => addressType));
  const empty = source.families.filter((family) => !filled.has(family));
  return [...slices, ...empty.map((family) => emptySlice(source, family))];
}

interface Dealt {
  readonly member: Member;
  readonly digest: Buffer;
}

/** Halves a set by the next bit of the digests until no part is too large. */
function* divided(dealt: readonly Dealt[], prefix: string): Generator<[string, Member[]]> {
  if (dealt.length <= MAX_ENDPOINTS || prefix.length >= 64) {
    yield [prefix, dealt.map(({ member }) => member)];
    return;
  }
  const bit = ({ digest }: Dealt) =>
    ((digest[prefix.length >> 3] ?? 0) >> (7 - (prefix.length & 7))) & 1;
  for (const side of [0, 1]) {
    const half = dealt.filter((one) => bit(one) === side);
    if (half.length > 0) yield* divided(half, `${prefix}${side}`);
  }
}

function sliceOf(source: SliceSource, name: string, members: readonly Member[]): ManifestObject {
  const { namespace, isHeadless, isZonePreferred, hasPorts, appProtocols } = source;
  const [first] = members;
  return {
    ...headOf(source, name),
    addressType: familyOf(first?.endpoint.address ?? ''),
    endpoints: members.map(({ endpoint }) => {
      const { address, ready, serving, terminating, instance, zone } = endpoint;
      return {
        addresses: [address],
        conditions: { ready, serving, terminating },
        ...(isHeadless ? { hostname: hostnameOf(instance) } : {}),
        ...(zone === '' ? {} : { zone }),
        targetRef: { kind: 'Pod', name: instance, namespace },
        ...(isZonePreferred && ready && zone !== ''
          ? { hints: { forZones: [{ name: zone }] } }
          : {}),
      };
    }),
    ports: hasPorts
      ? (first?.ports ?? []).map(({ portName: own, port, protocol }) => ({
          name: own,
          port,
          protocol,
          ...(appProtocols.has(own) ? { appProtocol: appProtocols.get(own) } : {}),
        }))
      : null,
  };
}

function emptySlice(source: SliceSource, addressType: AddressType): ManifestObject {
  const name = sliceNameOf(source.service, `${addressType} without endpoints`);
  return { ...headOf(source, name), addressType, endpoints: [], ports: null };
}

/** The metadata of a slice that its service alone decides. */
export function sliceMeta(
  name: string,
  source: Pick<SliceSource, 'namespace' | 'service' | 'revision' | 'createdAt'>,
) {
  const { namespace, service, revision, createdAt } = source;
  return {
    name,
    namespace,
    generateName: `${service}-`,
    resourceVersion: String(revision),
    ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }),
  };
}

function headOf(source: SliceSource, name: string): ManifestObject {
  const { namespace, service, revision, isHeadless, uid, createdAt, labels } = source;
  const own = Object.entries(labels).filter(([key]) => !RESERVED.has(key));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...sliceMeta(name, { namespace, service, revision, createdAt }),
      labels: {
        ...Object.fromEntries(own),
        [SERVICE_NAME_LABEL]: service,
        [MANAGED_BY]: 'endpointslice-controller.k8s.io',
        ...(isHeadless ? { [HEADLESS_LABEL]: '' } : {}),
      },
      ...(uid === undefined ? {} : { ownerReferences: [controllerRef('Service', service, uid)] }),
    },
  };
}

/** The owner of a derived object, in the form of Kubernetes. */
export function controllerRef(kind: string, name: string, uid: string): object {
  return { apiVersion: 'v1', kind, name, uid, controller: true, blockOwnerDeletion: true };
}
