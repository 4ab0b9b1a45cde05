import type { ManifestObject } from '@rollcall/client-sdk';
import type { Context } from '../session/context.ts';
import { visibleLine } from '../output/untrusted.ts';
import { partOf } from '../resources/resource.ts';
import { containersOf, deploymentSpec, deploymentStatus } from '../resources/workloads.ts';
import { eventsOf, eventsText, type Field, fieldsText, headOf, pairs, ruledRows } from './page.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** A deployment: its desired state, and how many instances exist. */
export async function deploymentPage(
  { rollcall, clock }: Context,
  object: ManifestObject,
): Promise<string> {
  const { name, namespace, creationTimestamp = '' } = object.metadata;
  const spec = deploymentSpec(object);
  const { replicas, updatedReplicas, availableReplicas } = deploymentStatus(object);
  const missing = deploymentStatus(object).unavailableReplicas;
  const [first = [], second = [], ...others] = headOf(object);
  const created = new Date(creationTimestamp).toUTCString().replace('GMT', '+0000');
  const counts = `${spec.replicas ?? 1} desired | ${updatedReplicas} updated | ${replicas} total | ${availableReplicas} available | ${missing} unavailable`;
  const fields = [
    first,
    second,
    ['CreationTimestamp', created],
    ...others,
    ['Selector', pairs(spec.selector?.matchLabels).join(',')],
    ['Replicas', counts],
  ] as Field[];
  const query = { namespace, service: name, limit: 20 };
  const { events } = await rollcall.call('events', { query });
  return (
    fieldsText(fields) +
    templateText(object) +
    conditionsText(object) +
    eventsText(eventsOf(events, 'Deployment'), clock.wallMs())
  );
}

function templateText(object: ManifestObject): string {
  const { template } = deploymentSpec(object);
  const containers = containersOf(object).map(({ name = '', image = '', ports = [] }) => {
    const shown = ports.map(({ containerPort, protocol = 'TCP', name: title = '' }) => {
      return `${containerPort}/${protocol}${title === '' ? '' : ` (${title})`}`;
    });
    const heading = shown.length > 1 ? 'Ports' : 'Port';
    const fields: Field[] = [
      ['Image', image],
      [heading, shown.join(', ') || '<none>'],
    ];
    return `   ${visibleLine(name)}:\n${fieldsText(fields, '    ')}`;
  });
  const labels = fieldsText([['Labels', ...pairs(template?.metadata?.labels)]], '  ');
  const head = `Pod Template:\n${labels}`;
  return containers.length === 0 ? head : `${head}  Containers:\n${containers.join('')}`;
}

function conditionsText(object: ManifestObject): string {
  const { conditions } = partOf(object, 'status') as { conditions: readonly Condition[] };
  const rows = conditions.map((one) => [one.type, one.status, one.reason, one.message]);
  return `Conditions:\n${ruledRows(['Type', 'Status', 'Reason', 'Message'], rows)}`;
}
