import type { ManifestObject } from '@rollcall/client-sdk';
import type { Context } from '../session/context.ts';
import { instanceSpec, instanceStatus, stateText } from '../resources/instances.ts';
import { NONE } from '../resources/resource.ts';
import { type Field, pageText, pairs } from './page.ts';

/** An instance: what it registered, the state that the registry derives, and its events. */
export async function instancePage(
  { rollcall, clock }: Context,
  object: ManifestObject,
): Promise<string> {
  const { name, namespace, labels } = object.metadata;
  const { service, address, zone, weight, ttlMs, persistent } = instanceSpec(object);
  const { ready, serving, terminating, tier, override, doubt } = instanceStatus(object);
  const query = { namespace, service, instance: name, limit: 20 };
  const { events } = await rollcall.call('events', { query });
  const fields: Field[] = [
    ['Name', name],
    ['Namespace', namespace],
    ['Service', service],
    ['Labels', ...pairs(labels)],
    ['Status', stateText(object)],
    ['Ready', String(ready)],
    ['Serving', String(serving)],
    ['Terminating', String(terminating)],
    ['Tier', tier === null ? NONE : String(tier)],
    ['IP', address],
    ['Ports', ...portLines(object)],
    ['Zone', zone || NONE],
    ['Weight', String(weight)],
    ['Lease', persistent ? 'none: the registry checks it itself' : `${ttlMs} ms`],
    [
      'Override',
      override === null ? NONE : `${override.status} by ${override.author}: ${override.reason}`,
    ],
    ...(doubt === null ? [] : [['Doubt', doubt] as const]),
  ];
  return pageText(fields, { events, nowMs: clock.wallMs() });
}

function portLines(object: ManifestObject): string[] {
  return Object.entries(instanceSpec(object).ports).map(
    ([name, { port, containerPort, protocol }]) => {
      const isOther = containerPort !== undefined && containerPort !== port;
      return `${name}  ${port}/${protocol}${isOther ? ` (containerPort ${containerPort})` : ''}`;
    },
  );
}
