import { nameKeyOf } from '../picture/declared/object-key.ts';
import { type ManifestObject, ProblemError } from '@rollcall/contract';
import { type Deployment, type Kind, KINDS, type Service } from '@rollcall/manifests';
import type { InstanceRecord } from '../store/record.ts';
import type { Picture, ServicePicture } from '../picture/picture.ts';
import type { Declarations, Declared } from '../picture/declared/declarations.ts';
import { deploymentStatuses } from './deployment-status.ts';
import { endpointsObject } from './endpoints-object.ts';
import { hasSelector } from '../picture/declared/profile.ts';
import { shownStatus } from '../picture/declared/reported-status.ts';
import { shownObject } from '../picture/declared/shown-object.ts';
import { isMirrored } from '../picture/declared/mirrored.ts';
import { mirroredSlices } from './mirrored-slices.ts';
import { type AddressType, slicesOf, type SliceSource } from './slices.ts';

/** Marks a service that is not declared: it exists because instances registered under its name. */
const IMPLICIT = 'rollcall.dev/implicit';

/** The kind with a name such as `Service`, `services` or `svc`. Throws `kind_not_found`. */
export function kindOf(name: string): Kind {
  const wanted = name.toLowerCase();
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const { plural, shortNames } = KINDS[kind];
    if ([kind.toLowerCase(), plural, ...shortNames].includes(wanted)) return kind;
  }
  const known = Object.keys(KINDS).join(', ');
  const message = `the registry doesn't have a resource type "${name}"; expected one of ${known}`;
  throw new ProblemError('kind_not_found', message, { field: 'kind' });
}

/** Declared objects with what the registry knows about them, and the objects that it derives. Only reads. */
export class ObjectViews {
  readonly #picture: Picture;

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  get(kind: Kind, namespace: string, name: string): ManifestObject | undefined {
    const declared = this.#declarations?.get(kind, nameKeyOf({ namespace, name }));
    switch (kind) {
      case 'Service':
        return this.#service(namespace, name);
      case 'Endpoints':
        return this.#endpoints(namespace, name);
      case 'EndpointSlice':
        return this.#slice(namespace, name);
      case 'Deployment':
        return declared && this.#deployments([declared as Declared<Deployment>])[0];
      case 'Ingress':
        return declared && this.#ingress(declared);
      default:
        return declared && this.#shown(declared);
    }
  }

  /** Sorted by namespace and name; `*` = all namespaces. Objects that are in none belong to each. */
  list(kind: Kind, given: string): ManifestObject[] {
    const namespace = KINDS[kind].isNamespaced ? given : '*';
    const services = this.#picture.servicesOf(namespace);
    const objects = (() => {
      switch (kind) {
        case 'Service':
          return services.map((one) => this.#service(one.namespace, one.service));
        case 'Endpoints':
          return [
            ...services.map((one) => this.#endpoints(one.namespace, one.service)),
            ...this.#declared(kind, namespace)
              .filter(({ namespace: ns, name }) => this.#picture.service(ns, name) === undefined)
              .map((declared) => this.#shown(declared)),
          ];
        case 'EndpointSlice':
          return [
            ...services.flatMap((one) => this.#slices(one.namespace, one.service)),
            ...this.#declared(kind, namespace).map((declared) => this.#shown(declared)),
          ];
        case 'Deployment':
          return this.#deployments(this.#declared(kind, namespace) as Declared<Deployment>[]);
        case 'Ingress':
          return this.#declared(kind, namespace).map((declared) => this.#ingress(declared));
        default:
          return this.#declared(kind, namespace).map((declared) => this.#shown(declared));
      }
    })();
    const keyOf = ({ metadata }: ManifestObject) => nameKeyOf(metadata);
    return objects
      .filter((object) => object !== undefined)
      .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  get #declarations(): Declarations | undefined {
    return this.#picture.roll?.declarations;
  }

  #declared(kind: Kind, namespace: string): Declared[] {
    const all = [...(this.#declarations?.all(kind) ?? [])] as Declared[];
    return all.filter((declared) => namespace === '*' || declared.namespace === namespace);
  }

  #shown({ manifest, revision }: Declared): ManifestObject {
    return shownObject(manifest, revision);
  }

  /** With their current counts as status. */
  #deployments(declared: readonly Declared<Deployment>[]): ManifestObject[] {
    const statuses = deploymentStatuses(this.#picture, declared);
    return declared.map((one, i) => ({ ...this.#shown(one), status: statuses[i] }));
  }

  /** With the addresses that balancers report. */
  #ingress(declared: Declared): ManifestObject {
    const reports = this.#declarations?.reports('Ingress', nameKeyOf(declared)) ?? [];
    return { ...this.#shown(declared), status: shownStatus(declared.manifest, reports) };
  }

  #service(namespace: string, name: string): ManifestObject | undefined {
    const key = nameKeyOf({ namespace, name });
    const declared = this.#declarations?.get('Service', key);
    if (declared === undefined) return this.#implicitService(namespace, name);
    const shown = shownObject(declared.manifest, declared.revision);
    const reports = this.#declarations?.reports('Service', key) ?? [];
    return { ...shown, status: shownStatus(declared.manifest, reports) };
  }

  #implicitService(namespace: string, name: string): ManifestObject | undefined {
    const instances = [...this.#picture.instancesOf(namespace, name).values()];
    const [first] = instances;
    if (first === undefined) return undefined;
    const earliest = Math.min(...instances.map(({ registeredAtMs }) => registeredAtMs));
    const revision = this.#picture.service(namespace, name)?.revision ?? first.revision;
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name,
        namespace,
        resourceVersion: String(revision),
        creationTimestamp: `${new Date(earliest).toISOString().slice(0, 19)}Z`,
        annotations: { [IMPLICIT]: 'true' },
      },
      spec: {
        type: 'ClusterIP',
        clusterIP: 'None',
        clusterIPs: ['None'],
        selector: { app: name },
        sessionAffinity: 'None',
        ports: portsOf(instances),
      },
      status: { loadBalancer: {} },
    };
  }

  #endpoints(namespace: string, name: string): ManifestObject | undefined {
    const picture = this.#picture.service(namespace, name);
    const key = nameKeyOf({ namespace, name });
    const written = this.#declarations?.get('Endpoints', key);
    const service = this.#declarations?.service(key);
    const isWritten = service === undefined ? picture === undefined : !hasSelector(service);
    if (isWritten) return written && this.#shown(written);
    if (picture === undefined) return undefined;
    return endpointsObject(this.#sourceOf(picture, service));
  }

  /** The name of a derived slice begins with its service, so only such services are derived. */
  #slice(namespace: string, name: string): ManifestObject | undefined {
    const written = this.#declarations?.get('EndpointSlice', nameKeyOf({ namespace, name }));
    if (written !== undefined) return this.#shown(written);
    return this.#picture
      .servicesOf(namespace)
      .filter(({ service }) => name.startsWith(`${service}-`))
      .flatMap(({ service }) => this.#slices(namespace, service))
      .find(({ metadata }) => metadata.name === name);
  }

  /** The derived slices. Slices that a user wrote are shown as written, and not again here. */
  #slices(namespace: string, name: string): ManifestObject[] {
    const picture = this.#picture.service(namespace, name);
    const key = nameKeyOf({ namespace, name });
    const service = this.#declarations?.service(key);
    if (picture === undefined || service?.spec?.type === 'ExternalName') return [];
    const isDerived = ({ metadata }: ManifestObject) =>
      this.#declarations?.get('EndpointSlice', nameKeyOf(metadata)) === undefined;
    if (service === undefined || hasSelector(service)) {
      return slicesOf(this.#sourceOf(picture, service)).filter(isDerived);
    }
    const written = this.#declarations?.get('Endpoints', key);
    if (written === undefined || !isMirrored(written.manifest)) return [];
    return mirroredSlices(written.manifest, written.revision).filter(isDerived);
  }

  #sourceOf(picture: ServicePicture, service: Service | undefined): SliceSource {
    const { namespace, service: name, declared } = picture;
    const { metadata, spec } = service ?? {};
    const ports = spec?.ports ?? [];
    const implicit = service === undefined ? this.#implicitService(namespace, name) : undefined;
    return {
      ...picture,
      isHeadless: declared?.isHeadless ?? true,
      hasPorts: service === undefined || ports.length > 0,
      families: (spec?.ipFamilies ?? []) as AddressType[],
      isZonePreferred: (spec?.trafficDistribution ?? '') !== '' && !hasTopologyMode(service),
      uid: metadata?.uid,
      createdAt: metadata?.creationTimestamp ?? implicit?.metadata.creationTimestamp,
      labels: metadata?.labels ?? {},
      appProtocols: new Map(
        ports.flatMap(({ name: port = '', appProtocol }) =>
          appProtocol === undefined ? [] : [[port, appProtocol]],
        ),
      ),
    };
  }
}

/** Annotations by which a service asks for other hints than `trafficDistribution` gives. The first one counts. */
const TOPOLOGY_MODES = [
  'service.kubernetes.io/topology-aware-hints',
  'service.kubernetes.io/topology-mode',
];

function hasTopologyMode(service: Service | undefined): boolean {
  const { annotations = {} } = service?.metadata ?? {};
  const key = TOPOLOGY_MODES.find((one) => Object.hasOwn(annotations, one));
  return key !== undefined && ['Auto', 'auto'].includes(annotations[key] ?? '');
}

/** The named ports of instances; if they differ, the first instance decides. */
function portsOf(instances: readonly InstanceRecord[]): object[] {
  const ports = new Map<string, object>();
  for (const { body } of instances) {
    for (const [name, { port, protocol }] of Object.entries(body.ports)) {
      if (!ports.has(name)) ports.set(name, { name, port, protocol, targetPort: name });
    }
  }
  return [...ports.values()];
}

/** Labels of an object. */
export function labelsOf({ metadata }: ManifestObject): Readonly<Record<string, string>> {
  return metadata.labels ?? {};
}
