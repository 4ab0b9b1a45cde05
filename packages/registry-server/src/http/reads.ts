import {
  type Instance,
  ProblemError,
  type ServiceSummary,
  STATE_TABLE,
  instanceKeyOf,
} from '@rollcall/contract';
import { SELF } from '../picture/instances/own-service.ts';
import { stateOfRecord } from '../picture/instances/endpoints.ts';
import type { Picture } from '../picture/picture.ts';
import { missError } from '../writes/registry.ts';
import type { EventLog } from '../views/timeline.ts';
import type { WarmUp } from '../upkeep/warm-up.ts';
import { type InstanceRecord } from '../store/record.ts';
import type { Binder } from './call.ts';
import { checkLoaded } from './loaded.ts';
import { matchesSelector, parseSelector } from './selector.ts';

/** How long a read waits for the revision that it asks for, in ms. */
const BEHIND_MS = 1_000;

/** Throws `replica_behind` unless the picture reaches a revision soon. Never answers from older data. */
export async function awaitRevision(picture: Picture, since: string | undefined): Promise<void> {
  if (since === undefined || (await picture.reached(Number(since), BEHIND_MS))) return;
  const message = `this server has seen revision ${picture.revision}, expected ${since} or later`;
  throw new ProblemError('replica_behind', message, { field: 'since' });
}

/**
 * Throws `warming_up` for a declared service while its instances may still return to an empty store: it is not known
 * yet that it has none.
 */
export function checkWarm(
  picture: Picture,
  warmUp: WarmUp,
  { namespace, service }: { readonly namespace: string; readonly service: string },
): void {
  const known = picture.service(namespace, service);
  if (known?.declared?.hasSelector === true && known.endpoints.length === 0)
    warmUp.throwIfWarming(service);
}

function instanceOf(picture: Picture, record: InstanceRecord): Instance {
  const override = picture.roll?.override(instanceKeyOf(record));
  const state = stateOfRecord(record, override);
  const { namespace, service, id, revision, doubt, lease, registeredAtMs } = record;
  const { address, ports, labels, zone, weight, ttlMs, status } = record.body;
  return {
    namespace,
    service,
    id,
    address,
    ports,
    labels: { ...labels },
    zone,
    weight,
    ttlMs,
    persistent: lease === '',
    status,
    doubt: doubt ?? null,
    override: override ?? null,
    state,
    ...STATE_TABLE[state],
    revision: String(revision),
    registeredAtMs,
  };
}

function summaryOf(picture: Picture, namespace: string, service: string): ServiceSummary {
  const ready = new Set<string>();
  const known = picture.service(namespace, service);
  for (const endpoint of known?.endpoints ?? []) if (endpoint.ready) ready.add(endpoint.instance);
  return {
    namespace,
    service,
    revision: String(known?.revision ?? picture.revision),
    instances: picture.instancesOf(namespace, service).size,
    declared: known?.declared ?? null,
    ready: ready.size,
  };
}

export interface ReadSources {
  readonly picture: Picture;
  readonly warmUp: WarmUp;
  readonly timeline: EventLog;
}

/** The calls that read the roll. All are answered from memory. */
export function bindReads(binder: Binder, sources: ReadSources): void {
  const { picture, timeline } = sources;
  bindServices(binder, sources);
  bindInstanceReads(binder, sources);
  binder.bind('events', async ({ query }) => {
    checkLoaded(picture);
    return { events: timeline.query(query) };
  });
}

/** Throws `service_not_found`, or `warming_up` while the instances of an unknown service may still return. */
function checkService({ picture, warmUp }: ReadSources, namespace: string, service: string): void {
  checkLoaded(picture);
  if (picture.service(namespace, service) !== undefined) return;
  warmUp.throwIfWarming(service);
  const message = `no service ${service}: no instance is registered under it, and no manifest declares it`;
  throw new ProblemError('service_not_found', message, { field: 'svc' });
}

function bindServices(binder: Binder, sources: ReadSources): void {
  const { picture, warmUp } = sources;
  binder.bind(
    'listServices',
    async ({ params: { ns } }) => {
      checkLoaded(picture);
      const known = picture.servicesOf(ns);
      if (known.every(({ service }) => service === SELF.service))
        warmUp.throwIfWarming('any service');
      const services = known.map(({ namespace, service }) =>
        summaryOf(picture, namespace, service),
      );
      return { revision: String(picture.revision), services };
    },
    { isLong: true },
  );

  binder.bind(
    'readService',
    async ({ params: { ns, svc } }) => {
      checkService(sources, ns, svc);
      const roll = [...picture.instancesOf(ns, svc).values()]
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map((record) => instanceOf(picture, record));
      return { ...summaryOf(picture, ns, svc), roll };
    },
    { isLong: true },
  );

  binder.bind(
    'resolve',
    async ({ params: { ns, svc }, query }) => {
      checkLoaded(picture);
      await awaitRevision(picture, query.since);
      checkService(sources, ns, svc);
      checkWarm(picture, warmUp, { namespace: ns, service: svc });
      const selector = query.selector === undefined ? [] : parseSelector(query.selector);
      const known = picture.service(ns, svc);
      const endpoints = (known?.endpoints ?? []).filter(
        (endpoint) =>
          (query.port === undefined || endpoint.portName === query.port) &&
          (query.zone === undefined || endpoint.zone === query.zone) &&
          (query.ready === undefined || endpoint.ready === query.ready) &&
          matchesSelector(selector, endpoint.labels),
      );
      return {
        namespace: ns,
        service: svc,
        revision: String(known?.revision ?? picture.revision),
        storeAgeMs: picture.ageMs(),
        declared: known?.declared ?? null,
        endpoints,
      };
    },
    { isLong: true },
  );
}

function bindInstanceReads(binder: Binder, { picture, warmUp }: ReadSources): void {
  binder.bind('readInstance', async ({ params: { ns, svc, id } }) => {
    checkLoaded(picture);
    const record = picture.instancesOf(ns, svc).get(id);
    if (record === undefined) {
      warmUp.throwIfWarming(svc);
      throw missError('missing', 'id');
    }
    return instanceOf(picture, record);
  });

  binder.bind(
    'listInstances',
    async ({ params: { ns }, query }) => {
      checkLoaded(picture);
      const selector = parseSelector(query.selector ?? '');
      const instances = picture
        .servicesOf(ns)
        .flatMap((one) => [...picture.instancesOf(one.namespace, one.service).values()])
        .filter(({ body }) => matchesSelector(selector, body.labels))
        .toSorted((a, b) => (instanceKeyOf(a) < instanceKeyOf(b) ? -1 : 1))
        .map((record) => instanceOf(picture, record));
      return { revision: String(picture.revision), instances };
    },
    { isLong: true },
  );
}
