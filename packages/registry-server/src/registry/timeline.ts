import type { TimelineEvent, TimelineKind } from '@rollcall/contract';
import type { LogEntry } from '../store/log-entry.ts';
import { type InstanceRef, refOfField } from '../store/record.ts';

const REASONS: Readonly<Record<TimelineKind, string>> = {
  registered: 'it registered',
  reregistered: 'it registered again',
  updated: 'its status, weight or labels changed',
  draining: 'it takes no new calls',
  suspected: 'the connection of its hold closed without goodbye',
  recovered: 'it gave a sign of life',
  unreachable: 'silent together with more than half of its service: the guard keeps it for a while',
  restored: 'the store had lost it and a registry server still knew it',
  deregistered: 'it was taken off the roll',
  expired: 'it did not renew its lease in time',
  superseded: 'another process registered under its id',
  overridden: 'an operator overrode its status',
  'override-removed': 'the override of its status ended',
};

export interface TimelineQuery {
  readonly namespace: string;
  readonly service?: string | undefined;
  readonly instance?: string | undefined;
  readonly limit: number;
}

/** The last things that happened, as this server saw them in the log. */
export class TimelineBook {
  readonly #capacity: number;
  #events: TimelineEvent[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  note(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      const ref = refOf(entry);
      if (ref === undefined) continue;
      this.#events.push({
        revision: String(entry.revision),
        atMs: entry.atMs,
        namespace: ref.namespace,
        service: ref.service,
        instance: ref.id,
        kind: entry.why,
        reason: entry.op === 'put' ? overrideReason(entry.resource.value) : REASONS[entry.why],
      });
    }
    if (this.#events.length > this.#capacity * 1.1) {
      this.#events = this.#events.slice(-this.#capacity);
    }
  }

  /** Oldest first, the last `limit` of those that fit. */
  read({ namespace, service, instance, limit }: TimelineQuery): TimelineEvent[] {
    return this.#events
      .filter(
        (event) =>
          event.namespace === namespace &&
          (service === undefined || event.service === service) &&
          (instance === undefined || event.instance === instance),
      )
      .slice(-limit);
  }
}

function refOf(entry: LogEntry): InstanceRef | undefined {
  if (entry.op === 'set') return entry.record;
  if (entry.op === 'del') return refOfField(entry.field);
  const key = entry.op === 'put' ? entry.resource.key : entry.key;
  return key.startsWith('override/') ? refOfField(key.slice('override/'.length)) : undefined;
}

function overrideReason(value: string): string {
  const { status, author, reason } = JSON.parse(value) as Record<string, string>;
  return `${author} set it to ${status}: ${reason}`;
}
