import type { TimelineEvent } from '@rollcall/client-sdk';

/** Kinds of events that are warnings. */
const WARNINGS: ReadonlySet<string> = new Set([
  'suspected',
  'unreachable',
  'expired',
  'superseded',
]);

export function severityOf({ kind, reason }: TimelineEvent): 'Normal' | 'Warning' {
  const isBad = WARNINGS.has(kind) || (kind === 'reported' && reason.includes('=False'));
  return isBad ? 'Warning' : 'Normal';
}

/** The event's kind as kubectl writes a reason: `report-ended` is `ReportEnded`. */
export function reasonWordOf({ kind }: TimelineEvent): string {
  return kind.replaceAll(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
}

const LEADING_KIND =
  /^(Service|Endpoints|EndpointSlice|Ingress|IngressClass|HTTPRoute|Secret|Deployment) /;

/** The kind of object that an event is about. The reason of a declared object's event begins with the kind; other events are about a service. */
export function objectKindOf({ instance, reason }: TimelineEvent): string {
  return instance === '' ? (LEADING_KIND.exec(reason)?.[1] ?? 'Service') : 'Instance';
}

/** What an event is about: `service/nginx`, `instance/nginx/a`. */
export function objectPathOf(event: TimelineEvent): string {
  const { service, instance } = event;
  const kind = objectKindOf(event).toLowerCase();
  return instance === '' ? `${kind}/${service}` : `${kind}/${service}/${instance}`;
}
