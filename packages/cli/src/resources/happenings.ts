import type { ManifestObject, TimelineEvent } from '@rollcall/client-sdk';
import { RollcallError } from '@rollcall/client-sdk/registration';
import type { Context } from '../session/context.ts';
import { ageOf } from '../output/age.ts';
import { objectKindOf, objectPathOf, reasonWordOf, severityOf } from '../output/event-words.ts';
import type { Column, Resource } from './resource.ts';

const MOST = 1_000;

/** An event in the form of Kubernetes. */
function objectOf(event: TimelineEvent): ManifestObject {
  const timestamp = `${new Date(event.atMs).toISOString().slice(0, 19)}Z`;
  const name = event.instance === '' ? event.service : event.instance;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${event.service}.${event.revision}`,
      namespace: event.namespace,
      resourceVersion: event.revision,
      creationTimestamp: timestamp,
    },
    involvedObject: { kind: objectKindOf(event), name, namespace: event.namespace },
    type: severityOf(event),
    reason: reasonWordOf(event),
    message: event.reason,
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    count: 1,
    source: { component: 'rollcall-registry' },
    object: objectPathOf(event),
  };
}

const text = (title: string, field: string): Column => ({
  title,
  cell: (object) => object[field] as string,
});

/** Events as `get events` shows them; the command `events` shows the same ones. */
export const happenings: Resource = {
  kind: 'Event',
  apiVersion: 'v1',
  names: ['events', 'event', 'ev'],
  prefix: 'event',
  isDerived: true,
  columns: [
    { title: 'LAST SEEN', cell: ({ metadata }, nowMs) => ageOf(metadata.creationTimestamp, nowMs) },
    text('TYPE', 'type'),
    text('REASON', 'reason'),
    text('OBJECT', 'object'),
    text('MESSAGE', 'message'),
  ],
  // Events have no labels: a selector matches none.
  list: async ({ rollcall }, namespace, selector) => {
    if (selector !== undefined && selector !== '') return [];
    const { events } = await rollcall.call('events', { query: { namespace, limit: MOST } });
    return events.map(objectOf);
  },
  async get(context: Context, namespace: string, name: string) {
    const found = (await this.list(context, namespace, undefined)).find(
      ({ metadata }) => metadata.name === name,
    );
    if (found !== undefined) return found;
    throw new RollcallError('object_not_found', `events "${name}" not found`);
  },
};
