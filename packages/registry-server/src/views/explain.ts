import { nameKeyOf } from '../picture/declared/object-key.ts';
import { type Explanation, instanceKeyOf } from '@rollcall/contract';
import type { Endpoints, Service } from '@rollcall/manifests';
import { type InstanceRecord } from '../store/record.ts';
import type { InstanceConditions } from '../picture/instances/endpoints.ts';
import type { Picture } from '../picture/picture.ts';
import { isMirrored } from '../picture/declared/mirrored.ts';
import { hasSelector } from '../picture/declared/profile.ts';
import { mayJoinService, selects, targetPortOn } from '../picture/declared/selected-endpoints.ts';

/** Explains why each instance is or is not an endpoint of a service; undefined when there is no such service. */
export function explain(
  picture: Picture,
  namespace: string,
  name: string,
): Explanation | undefined {
  const declarations = picture.roll?.declarations;
  const key = nameKeyOf({ namespace, name });
  const service = declarations?.service(key);
  const own = picture.instancesOf(namespace, name);
  if (service === undefined && own.size === 0) return undefined;
  const everyone = picture
    .servicesOf(namespace)
    .flatMap((one) => [...picture.instancesOf(namespace, one.service).values()]);
  // An implicit service has only its own instances.
  const asked = service === undefined ? [...own.values()] : everyone;
  const inOrder = asked.toSorted((a, b) => (instanceKeyOf(a) < instanceKeyOf(b) ? -1 : 1));
  const instances = inOrder.map((record) => {
    const conditions = picture.conditionsOf(record);
    const reasons =
      service === undefined
        ? ['registered under this name', ...stateReasons(conditions)]
        : reasonsOf(service, record, conditions);
    const isSelected = service === undefined || isMember(service, record);
    const isPublished = service?.spec?.publishNotReadyAddresses === true;
    const isEndpoint = isSelected && (isPublished || conditions.tier !== null);
    return { service: record.service, instance: record.id, isEndpoint, reasons };
  });
  return {
    namespace,
    service: name,
    declared: service !== undefined,
    selector: { ...service?.spec?.selector },
    instances,
    notes: service === undefined ? [] : notesOf(service, instances, declarations?.endpointsOf(key)),
  };
}

function isMember(service: Service, record: InstanceRecord): boolean {
  return (
    hasSelector(service) &&
    selects(service.spec?.selector ?? {}, record.body.labels) &&
    mayJoinService(service, record) &&
    ((service.spec?.ports ?? []).length === 0 ||
      portReasons(service, record).some(({ isMet }) => isMet))
  );
}

function reasonsOf(
  service: Service,
  record: InstanceRecord,
  conditions: InstanceConditions,
): string[] {
  if (!hasSelector(service)) return ['the service has no selector: it looks at no instance'];
  const missing = Object.entries(service.spec?.selector ?? {}).flatMap(([key, value]) => {
    const { labels } = record.body;
    const has = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (has === value) return [];
    const what = has === undefined ? 'has no such label' : `its label is ${key}=${has}`;
    return [`the selector wants ${key}=${value}; ${what}`];
  });
  if (missing.length > 0) return missing;
  if (!mayJoinService(service, record)) {
    const { namespace, name } = service.metadata;
    const scope = `register:${namespace}/${name}`;
    return [`has every label that the selector wants, set by a token that does not cover ${scope}`];
  }
  return [
    'has every label that the selector wants',
    ...portReasons(service, record).map(({ text }) => text),
    ...(service.spec?.publishNotReadyAddresses === true
      ? [`is ${conditions.state}, which publishNotReadyAddresses makes no matter`]
      : stateReasons(conditions)),
  ];
}

function portReasons(
  { spec = {} }: Service,
  { body }: InstanceRecord,
): { readonly isMet: boolean; readonly text: string }[] {
  return (spec.ports ?? []).map(({ name = '', port = 0, protocol, targetPort }) => {
    const wanted = targetPort ?? port;
    const shown = name === '' ? `port ${port}` : `port ${name} (${port})`;
    const own = protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP';
    const target = targetPortOn(body.ports, { targetPort: wanted, protocol: own });
    if (target === undefined) {
      const has = Object.keys(body.ports).join(', ');
      return { isMet: false, text: `${shown}: no ${own} port is named ${wanted}; it has ${has}` };
    }
    const isKnown = Object.values(body.ports).some((one) => one.port === target.port);
    const note = isKnown ? '' : `, a number that the instance did not register`;
    return { isMet: true, text: `${shown}: leads to ${body.address}:${target.port}${note}` };
  });
}

function stateReasons({ state, reason, tier }: InstanceConditions): string[] {
  const why = reason === '' ? '' : `: ${reason}`;
  if (tier === 0) return [`is ${state}${why}`];
  if (tier === 1) return [`is ${state}${why}; used only if no better endpoint is left`];
  return [`is ${state}${why}; gets no new calls`];
}

function notesOf(
  service: Service,
  instances: Explanation['instances'],
  written: Endpoints | undefined,
): string[] {
  const { spec = {} } = service;
  if (spec.type === 'ExternalName') {
    return [`it is another name for ${spec.externalName}: it has no endpoints`];
  }
  if (!hasSelector(service)) {
    const kinds = 'the Endpoints and EndpointSlices of its name';
    const isSkipped = written !== undefined && !isMirrored(written);
    const but =
      ', but its Endpoints say by a label or an annotation that they are not to be mirrored';
    return [`it has no selector: its endpoints are ${kinds}${isSkipped ? but : ''}`];
  }
  if (instances.some(({ isEndpoint }) => isEndpoint)) return [];
  return ['no instance is an endpoint: calls are refused until one fits'];
}
