import { type DeclaredService, serviceKeyOf, type ServiceKey } from '@rollcall/contract';
import {
  type Endpoints,
  type EndpointSlice,
  type Kind,
  KINDS,
  type Manifest,
  type Service,
  SERVICE_NAME_LABEL,
} from '@rollcall/manifests';
import type { ResourceRecord } from '../../store/record.ts';
import { withClaims } from './claim-slots.ts';
import { objectOfKey, type ReportRef, reportOfKey, nameKeyOf } from './object-key.ts';
import { OwnerIndex } from './owner-index.ts';
import { hasSelector, profileOf } from './profile.ts';
import { ReportTable, type StoredReport } from './report-table.ts';
import { selects } from './selected-endpoints.ts';

/** How many removed objects are remembered. */
const MAX_LEFT = 10_000;

/** A declared object in the memory of a server. */
export interface Declared<T extends Manifest = Manifest> {
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  /** With its given addresses and node ports. */
  readonly manifest: T;
}

/** A service that a resource affects and that must be derived again. */
export interface ServiceTouch {
  readonly service: ServiceKey;
  /** Whether its endpoints may differ; false = only its reports. */
  readonly endpoints: boolean;
}

type Tables = { readonly [K in Kind]: Map<ServiceKey, Declared<Extract<Manifest, { kind: K }>>> };

/** Declared objects and reports, and which services select which labels. Only the roll writes to it. */
export class Declarations {
  readonly #tables = Object.fromEntries(
    Object.keys(KINDS).map((kind) => [kind, new Map()]),
  ) as unknown as Tables;
  readonly #reports = new ReportTable();
  /** `namespace/key=value`, one pair of each selector -> the services with that pair. */
  readonly #bySelector = new Map<string, Set<ServiceKey>>();
  /** Service -> the pair that it is indexed by. */
  readonly #pairs = new Map<ServiceKey, string>();
  /** Kind and name -> objects with owners, and those that are being deleted. */
  readonly #linked = new Map<string, Declared>();
  readonly #owners = new OwnerIndex<Declared>();
  /** Uid of an object that was removed while this roll was followed -> the revision of that. */
  readonly #left = new Map<string, number>();
  /** `namespace/service` -> slices written for it. */
  readonly #slices = new Map<ServiceKey, Set<ServiceKey>>();

  /** Takes a resource; returns the services that it affects. */
  put(resource: ResourceRecord): readonly ServiceTouch[] {
    const report = reportOfKey(resource.key);
    if (report !== undefined) {
      this.#reports.put(report, resource);
      return reportTouches(report);
    }
    const ref = objectOfKey(resource.key);
    if (ref === undefined) return [];
    const { namespace, name, kind } = ref;
    const before = this.#forget(kind, nameKeyOf(ref));
    const stored = JSON.parse(resource.value) as Manifest;
    const manifest = stored.kind === 'Service' ? withClaims(stored, resource.claims) : stored;
    const declared = Object.freeze({ namespace, name, revision: resource.revision, manifest });
    this.#remember(kind, declared);
    return [...touches(declared), ...(before === undefined ? [] : touches(before))];
  }

  /** `revision`: that of the removal. */
  remove(key: string, revision: number): readonly ServiceTouch[] {
    const report = reportOfKey(key);
    if (report !== undefined) {
      this.#reports.remove(report);
      return reportTouches(report);
    }
    const ref = objectOfKey(key);
    if (ref === undefined) return [];
    const before = this.#forget(ref.kind, nameKeyOf(ref));
    if (before === undefined) return [];
    this.#noteLeft(before, revision);
    return touches(before);
  }

  /** Objects that have owners, and those that are being deleted. */
  linked(): Iterable<Declared> {
    return this.#linked.values();
  }

  /** The objects that name the owner with this uid. */
  ownedBy(uid: string): readonly Declared[] {
    return this.#owners.of(uid);
  }

  /** The revision at which the object with this uid was removed, as far as remembered. */
  leftAt(uid: string): number | undefined {
    return this.#left.get(uid);
  }

  /** A declared object by `namespace/name`. */
  get<K extends Kind>(
    kind: K,
    key: ServiceKey,
  ): Declared<Extract<Manifest, { kind: K }>> | undefined {
    return this.#tables[kind].get(key);
  }

  /** All objects of a kind. */
  all<K extends Kind>(kind: K): Iterable<Declared<Extract<Manifest, { kind: K }>>> {
    return this.#tables[kind].values();
  }

  service(key: ServiceKey): Service | undefined {
    return this.#tables.Service.get(key)?.manifest;
  }

  /** What data planes need to know about a declared service. */
  profile(key: ServiceKey): DeclaredService | null {
    const service = this.service(key);
    return service === undefined ? null : profileOf(service, this.reports('Service', key));
  }

  /** What data planes report about an object, sorted by reporter. */
  reports(kind: ReportRef['kind'], key: ServiceKey): readonly StoredReport[] {
    return this.#reports.of(kind, key);
  }

  endpointsOf(key: ServiceKey): Endpoints | undefined {
    return this.#tables.Endpoints.get(key)?.manifest;
  }

  /** The slices of a service, sorted by name, so that every server derives the same endpoints. */
  slicesOf(key: ServiceKey): EndpointSlice[] {
    return [...(this.#slices.get(key) ?? [])].toSorted().flatMap((own) => {
      const slice = this.#tables.EndpointSlice.get(own);
      return slice === undefined ? [] : [slice.manifest];
    });
  }

  /** Keys of the declared services whose selectors match these labels. */
  *selecting(namespace: string, labels: Readonly<Record<string, string>>): Generator<ServiceKey> {
    if (this.#bySelector.size === 0) return;
    for (const key in labels) {
      for (const service of this.#bySelector.get(`${namespace}/${key}=${labels[key]}`) ?? []) {
        if (selects(this.service(service)?.spec?.selector ?? {}, labels)) yield service;
      }
    }
  }

  #remember(kind: Kind, declared: Declared): void {
    const key = nameKeyOf(declared);
    (this.#tables[kind] as Map<ServiceKey, Declared>).set(key, declared);
    const { manifest } = declared;
    if (isLinked(manifest)) this.#linked.set(`${kind}/${key}`, declared);
    this.#owners.add(declared);
    if (manifest.kind === 'Service') this.#index(key, declared, manifest);
    if (manifest.kind === 'EndpointSlice') add(this.#slices, sliceServiceOf(declared), key);
  }

  #forget(kind: Kind, key: ServiceKey): Declared | undefined {
    const declared = this.#tables[kind].get(key) as Declared | undefined;
    if (declared === undefined) return undefined;
    this.#tables[kind].delete(key);
    this.#linked.delete(`${kind}/${key}`);
    this.#owners.remove(declared);
    const { manifest } = declared;
    if (manifest.kind === 'Service') {
      drop(this.#bySelector, this.#pairs.get(key), key);
      this.#pairs.delete(key);
    }
    if (manifest.kind === 'EndpointSlice') drop(this.#slices, sliceServiceOf(declared), key);
    return declared;
  }

  #noteLeft({ manifest }: Declared, revision: number): void {
    const { uid } = manifest.metadata;
    if (uid === undefined) return;
    this.#left.set(uid, revision);
    const [oldest] = this.#left.keys();
    if (this.#left.size > MAX_LEFT && oldest !== undefined) this.#left.delete(oldest);
  }

  /** Indexes by the rarest pair: a thousand services may all select `team=shop`, and each another `app`. */
  #index(key: ServiceKey, { namespace }: Declared, service: Service): void {
    if (!hasSelector(service)) return;
    const size = (pair: string) => this.#bySelector.get(pair)?.size ?? 0;
    const [pair] = Object.entries(service.spec?.selector ?? {})
      .map(([label, value]) => `${namespace}/${label}=${value}`)
      .toSorted((a, b) => size(a) - size(b));
    add(this.#bySelector, pair, key);
    if (pair !== undefined) this.#pairs.set(key, pair);
  }
}

function isLinked({ metadata }: Manifest): boolean {
  return metadata.deletionTimestamp !== undefined || (metadata.ownerReferences ?? []).length > 0;
}

/** The service of a hand-written slice. */
function sliceServiceOf({ namespace, manifest }: Declared): ServiceKey | undefined {
  const service = manifest.metadata.labels?.[SERVICE_NAME_LABEL];
  return service === undefined ? undefined : serviceKeyOf({ namespace, service });
}

/** Watchers see reports about services only. */
function reportTouches(report: ReportRef): readonly ServiceTouch[] {
  return report.kind === 'Service' ? [{ service: nameKeyOf(report), endpoints: false }] : [];
}

/** The services to derive again when an object is created, changed or removed. */
function touches(declared: Declared): readonly ServiceTouch[] {
  const { kind } = declared.manifest;
  const service =
    kind === 'EndpointSlice'
      ? sliceServiceOf(declared)
      : kind === 'Service' || kind === 'Endpoints'
        ? nameKeyOf(declared)
        : undefined;
  return service === undefined ? [] : [{ service, endpoints: true }];
}

function add<K extends string>(
  index: Map<K, Set<ServiceKey>>,
  key: K | undefined,
  member: ServiceKey,
): void {
  if (key !== undefined) index.set(key, (index.get(key) ?? new Set()).add(member));
}

function drop<K extends string>(
  index: Map<K, Set<ServiceKey>>,
  key: K | undefined,
  member: ServiceKey,
): void {
  if (key === undefined) return;
  const members = index.get(key);
  members?.delete(member);
  if (members?.size === 0) index.delete(key);
}
