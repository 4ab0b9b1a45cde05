import type { TimelineEvent } from '@rollcall/client-sdk';

/** Kinds of events that are warnings. */
const WARNINGS: ReadonlySet<string> = new Set([
  'suspected',
  'unreachable',
  'expired',
  'superseded',
]);

export function typeOf({ kind, reason }: TimelineEvent): 'Normal' | 'Warning' {
  const isBad = WARNINGS.has(kind) || (kind === 'reported' && reason.includes('=False'));
  return isBad ? 'Warning' : 'Normal';
}

/** `report-ended` as `ReportEnded`, the usual spelling of reasons. */
export function reasonOf({ kind }: TimelineEvent): string {
  return kind.replaceAll(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}

const DECLARED = /^(Service|Endpoints|EndpointSlice|Ingress|Deployment) /;

/** The kind of object that an event is about. For declared objects, the reason names it. */
export function kindOfEvent({ instance, reason }: TimelineEvent): string {
  return instance === '' ? (DECLARED.exec(reason)?.[1] ?? 'Service') : 'Instance';
}

/** What an event is about: `service/nginx`, `instance/nginx/a`. */
export function objectOfEvent(event: TimelineEvent): string {
  const { service, instance } = event;
  const kind = kindOfEvent(event).toLowerCase();
  return instance === '' ? `${kind}/${service}` : `${kind}/${service}/${instance}`;
}
