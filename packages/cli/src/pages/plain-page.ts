import type { ManifestObject } from '@rollcall/client-sdk';
import { tabbedText } from '../output/tabbed.ts';
import { NONE } from '../resources/resource.ts';
import type { Context } from '../session/context.ts';
import { annotationsOf, eventsOf, eventsText, fieldsText, pairs, several } from './page.ts';

const MOST_EVENTS = 20;

/** Fields of `metadata` that are shown above, or for nobody. */
const NOT_AGAIN = new Set(['annotations', 'labels', 'managedFields', 'name', 'namespace']);

const ACRONYMS = new Set(['api', 'uid', 'url']);

/** `parentRefs` as `Parent Refs`. */
function titleOf(field: string): string {
  return field
    .split(/(?<=[a-z])(?=[A-Z])/)
    .map((word) =>
      ACRONYMS.has(word.toLowerCase())
        ? word.toUpperCase()
        : word.replace(/^[a-z]/, (letter) => letter.toUpperCase()),
    )
    .join(' ');
}

/** Fields in alphabetical order; the elements of a list follow each other. */
function outline(value: object, indent = ''): string[][] {
  const inner = `${indent}  `;
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([field, one]: [string, unknown]) => {
      const title = `${indent}${titleOf(field)}:`;
      if (typeof one !== 'object' || one === null) return [[title, String(one)]];
      if (!Array.isArray(one)) return [[title], ...outline(one, inner)];
      const elements = (one as unknown[]).flatMap((each) =>
        typeof each === 'object' && each !== null ? outline(each, inner) : [[inner + String(each)]],
      );
      return [[title], ...elements];
    });
}

/** An object of a kind that kubectl has no page for: all its fields, as they are. */
export async function plainPage(
  { rollcall, clock }: Context,
  object: ManifestObject,
): Promise<string> {
  const { name, namespace, labels } = object.metadata;
  const query = { namespace, service: name, limit: MOST_EVENTS };
  const { events } = await rollcall.call('events', { query });
  const own = eventsOf(events, object.kind);
  const metadata = Object.entries(object.metadata).filter(([field]) => !NOT_AGAIN.has(field));
  const lines = [
    ['Name:', name],
    ['Namespace:', namespace],
    ...several('Labels:', pairs(labels)),
    ...several('Annotations:', annotationsOf(object)),
    ...outline({ ...object, metadata: Object.fromEntries(metadata) }),
  ];
  if (own.length === 0) return tabbedText([...lines, ['Events:', NONE]]);
  return tabbedText(lines) + eventsText(own, clock.wallMs());
}

export function namespacePage(object: ManifestObject): string {
  const { phase = '' } = object['status'] as { readonly phase?: string };
  return fieldsText([
    ['Name', object.metadata.name],
    ['Labels', ...pairs(object.metadata.labels)],
    ['Annotations', ...annotationsOf(object)],
    ['Status', phase],
  ]);
}
