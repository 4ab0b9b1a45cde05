import {
  type ServiceReport,
  type TimelineEvent,
  type TimelineKind,
  instanceKeyOf,
  type InstanceRef,
  parseInstanceKey,
} from '@rollcall/contract';
import type { LogEntry } from '../store/log-entry.ts';
import { instanceOfOverride } from '../picture/instances/endpoints.ts';
import { objectOfKey, reportOfKey } from '../picture/declared/object-key.ts';

const REASONS: Readonly<Record<TimelineKind, string>> = {
  registered: 'it registered',
  reregistered: 'it registered again',
  updated: 'its status, weight or labels changed',
  draining: 'it takes no new calls',
  suspected: 'the connection of its hold closed without goodbye',
  recovered: 'it gave a sign of life',
  unreachable: 'silent together with more than half of its service: the guard keeps it for a while',
  unconfirmed:
    'the store was away, or came back, and may have older data: it has one TTL to renew its lease',
  restored: 'the store had lost it and a registry server still knew it',
  deregistered: 'it was taken off the roll',
  expired: 'it did not renew its lease in time',
  superseded: 'another process registered under its id',
  overridden: 'an operator overrode its status',
  'override-removed': 'the override of its status ended',
  created: 'was declared',
  configured: 'has another manifest',
  deleted: 'was deleted',
  reported: 'a data plane reported about it',
  'report-ended': 'a data plane no longer reports about it',
};

export interface TimelineQuery {
  readonly namespace: string;
  readonly service?: string | undefined;
  readonly instance?: string | undefined;
  readonly limit: number;
}

/** The latest events, as this server saw them in the log. */
export class EventLog {
  readonly #capacity: number;
  #events: TimelineEvent[] = [];
  /** Instances whose hold broke, until they give a sign of life. */
  readonly #suspects = new Set<string>();
  /** Key of a report -> its last text: repeating it is no event. */
  readonly #reported = new Map<string, string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  append(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const ref = refOf(entry);
      if (ref === undefined || !this.#isNews(entry)) continue;
      this.#events.push({
        revision: String(entry.revision),
        atMs: entry.atMs,
        namespace: ref.namespace,
        service: ref.service,
        instance: ref.id,
        kind: entry.why,
        reason: this.#reasonOf(entry, ref),
      });
    }
    if (this.#events.length > this.#capacity * 1.1) {
      this.#events = this.#events.slice(-this.#capacity);
    }
  }

  /** Oldest first; the last `limit` of the matching events. */
  query({ namespace, service, instance, limit }: TimelineQuery): TimelineEvent[] {
    return this.#events
      .filter(
        (event) =>
          (namespace === '*' || event.namespace === namespace) &&
          (service === undefined || event.service === service) &&
          (instance === undefined || event.instance === instance),
      )
      .slice(-limit);
  }

  /** A suspect is evicted long before its lease ends: then the broken hold is the reason. */
  #reasonOf(entry: LogEntry, ref: InstanceRef): string {
    if (ref.id === '') return reasonOf(entry);
    const key = instanceKeyOf(ref);
    const wasSuspect = this.#suspects.delete(key);
    if (entry.why === 'suspected') this.#suspects.add(key);
    // The end of a suspect may be missed when the roll is read again.
    if (this.#suspects.size > this.#capacity) this.#suspects.clear();
    const isItsEnd = wasSuspect && entry.why === 'expired';
    return isItsEnd ? `${REASONS.suspected}, and it did not come back` : reasonOf(entry);
  }

  #isNews(entry: LogEntry): boolean {
    const key = keyOf(entry);
    if (!key.startsWith('report/')) return true;
    if (entry.op !== 'put') return this.#reported.delete(key);
    const text = reportText(entry.resource.value);
    const isNews = this.#reported.get(key) !== text;
    this.#reported.delete(key);
    this.#reported.set(key, text);
    // The end of a report may be missed when the roll is read again, so the oldest texts are dropped.
    for (const oldest of this.#reported.keys()) {
      if (this.#reported.size <= this.#capacity) break;
      this.#reported.delete(oldest);
    }
    return isNews;
  }
}

/** Key of the resource of an entry; empty when the entry is about an instance. */
function keyOf(entry: LogEntry): string {
  if (entry.op === 'put') return entry.resource.key;
  return entry.op === 'rm' ? entry.key : '';
}

function refOf(entry: LogEntry): InstanceRef | undefined {
  if (entry.op === 'set') return entry.record;
  if (entry.op === 'del') return parseInstanceKey(entry.instanceKey);
  if (entry.op === 'spoilt') return undefined;
  const key = keyOf(entry);
  if (key.startsWith('override/')) return parseInstanceKey(instanceOfOverride(key));
  const report = reportOfKey(key);
  if (report !== undefined) return { namespace: report.namespace, service: report.name, id: '' };
  const object = objectOfKey(key);
  // As in Kubernetes, events of objects without a namespace are in the default one.
  return object && { namespace: object.namespace || 'default', service: object.name, id: '' };
}

function reasonOf(entry: LogEntry): string {
  const key = keyOf(entry);
  const object = objectOfKey(key);
  if (object !== undefined) return `${object.kind} ${object.name} ${REASONS[entry.why]}`;
  const report = reportOfKey(key);
  if (report !== undefined) {
    // An Ingress may have the name of a service: the kind says whose event it is.
    const about = report.kind === 'Service' ? '' : `${report.kind} ${report.name}: `;
    return entry.op === 'put'
      ? `${about}${report.reporter}: ${reportText(entry.resource.value)}`
      : `${about}${report.reporter} no longer reports about it`;
  }
  return entry.op === 'put' ? overrideReason(entry.resource.value) : REASONS[entry.why];
}

function reportText(value: string): string {
  const { conditions, loadBalancer } = JSON.parse(value) as ServiceReport;
  const said = conditions.map(({ type, status, reason, message }) =>
    message === '' ? `${type}=${status} (${reason})` : `${type}=${status} (${reason}: ${message})`,
  );
  const addresses = loadBalancer.map(({ ip, hostname }) => `reached at ${ip ?? hostname ?? ''}`);
  // One address may have two entries, with the ports of two listeners.
  return [...said, ...new Set(addresses)].join('; ');
}

function overrideReason(value: string): string {
  const { status, author, reason } = JSON.parse(value) as Record<string, string>;
  return `${author} set it to ${status}: ${reason}`;
}
