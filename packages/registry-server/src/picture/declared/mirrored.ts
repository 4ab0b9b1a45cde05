import type { Endpoints } from '@rollcall/manifests';

/** Keeps an Endpoints object from being mirrored when its value is `true`. */
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror';
/** Old programs elected their leader with Endpoints objects: these have no addresses of a service. */
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';

/** Addresses of a subset beyond this are not used, as in Kubernetes. */
const MAX_ADDRESSES = 1_000;

type Subset = NonNullable<Endpoints['subsets']>[number];

interface MirroredAddress {
  readonly address: NonNullable<Subset['addresses']>[number];
  readonly isReady: boolean;
}

/** Whether the addresses of a hand-written Endpoints object count for its service, and are shown as slices. */
export function isMirrored({ metadata }: Endpoints): boolean {
  const { labels = {}, annotations = {} } = metadata;
  return labels[SKIP_LABEL] !== 'true' && !Object.hasOwn(annotations, LEADER_ANNOTATION);
}

/** The addresses of a subset that count: the ready ones first, 1,000 at most. */
export function mirroredAddresses(subset: Subset): readonly MirroredAddress[] {
  const { addresses = [], notReadyAddresses = [] } = subset;
  return [
    ...addresses.map((address) => ({ address, isReady: true })),
    ...notReadyAddresses.map((address) => ({ address, isReady: false })),
  ].slice(0, MAX_ADDRESSES);
}
