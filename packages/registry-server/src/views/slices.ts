import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { type Endpoint, hostnameOf, type ManifestObject } from '@rollcall/contract';
import { SERVICE_NAME_LABEL } from '@rollcall/manifests';

/** Maximum number of endpoints in a derived slice. */
const MAX_ENDPOINTS = 100;

/** The input for the slices of a service. */
export interface SliceSource {
  readonly namespace: string;
  readonly service: string;
  readonly revision: number;
  readonly isHeadless: boolean;
  readonly uid: string | undefined;
  /** When the service was created; ISO 8601. */
  readonly createdAt: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
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

function familyOf({ address }: Endpoint): 'IPv4' | 'IPv6' | 'FQDN' {
  if (isIPv4(address)) return 'IPv4';
  return isIPv6(address) ? 'IPv6' : 'FQDN';
}

/**
 * The endpoint slices of a service: one set per address family and set of ports, at most 100 endpoints each. The slice
 * of an endpoint depends only on the digest of its id and on how often its set was divided. So every server makes the
 * same slices, and an endpoint that comes or goes changes one slice (or divides it in two).
 */
export function slicesOf(source: SliceSource): ManifestObject[] {
  const groups = new Map<string, Member[]>();
  for (const member of membersOf(source.endpoints)) {
    const key = `${familyOf(member.endpoint)} ${portKeyOf(member)}`;
    addTo(groups, key, member);
  }
  return [...groups].flatMap(([key, members]) => {
    // Instances on one machine each have their own ports: a thousand sets must not collide in one name.
    const stem = digestOf(key).toString('hex').slice(0, 10);
    const dealt = members.map((member) => ({ member, digest: digestOf(member.endpoint.id) }));
    return [...divided(dealt, '')].map(([suffix, own]) => {
      const name = `${source.service}-${stem}${suffix === '' ? '' : `-${suffix}`}`;
      return sliceOf(source, name, own);
    });
  });
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
  const { namespace, service, revision, isHeadless, uid, createdAt, labels } = source;
  const [first] = members;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace,
      generateName: `${service}-`,
      resourceVersion: String(revision),
      ...(createdAt === undefined ? {} : { creationTimestamp: createdAt }),
      labels: {
        ...labels,
        [SERVICE_NAME_LABEL]: service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        ...(isHeadless ? { 'service.kubernetes.io/headless': '' } : {}),
      },
      ...(uid === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: 'v1', kind: 'Service', name: service, uid, controller: true },
            ],
          }),
    },
    addressType: first === undefined ? 'IPv4' : familyOf(first.endpoint),
    endpoints: members.map(({ endpoint }) => {
      const { address, ready, serving, terminating, instance, zone, tier } = endpoint;
      return {
        addresses: [address],
        conditions: { ready, serving, terminating },
        ...(isHeadless ? { hostname: hostnameOf(instance) } : {}),
        ...(zone === '' ? {} : { zone }),
        targetRef: { kind: 'Pod', name: instance, namespace },
        tier,
      };
    }),
    ports: (first?.ports ?? []).map(({ portName, port, protocol }) => {
      return { name: portName, port, protocol };
    }),
  };
}
