import type { ManifestObject, TimelineEvent } from '@rollcall/client-sdk';
import { EXIT } from '../cli-error.ts';
import { type Command, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { durationText } from '../output/age.ts';
import { selectionsOf } from '../resources/catalog.ts';
import { firstFew, NONE } from '../resources/resource.ts';
import { placesOf } from '../resources/endpoints.ts';
import { instances, instanceSpec, instanceStatus, stateText } from '../resources/instances.ts';
import { ingressOf, services, specOf } from '../resources/services.ts';
import { SELECTING } from './get.ts';

/** A heading and its value; several values stand below each other. */
type Field = readonly [title: string, ...values: string[]];

/** Values behind their headings, aligned. */
function fieldsText(fields: readonly Field[]): string {
  const width = Math.max(...fields.map(([title]) => title.length)) + 3;
  return fields
    .flatMap(([title, ...values]) =>
      (values.length === 0 ? [NONE] : values).map((value, i) =>
        `${(i === 0 ? `${title}:` : '').padEnd(width)}${value}`.trimEnd(),
      ),
    )
    .map((line) => `${line}\n`)
    .join('');
}

const pairs = (given: Readonly<Record<string, string>> | undefined) =>
  Object.entries(given ?? {}).map(([key, value]) => `${key}=${value}`);

/** What people wrote; the copy of what was applied is for machines. */
function annotationsOf({ metadata }: ManifestObject): string[] {
  const shown = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => !key.startsWith('kubectl.kubernetes.io/last-applied'),
  );
  return shown.map(([key, value]) => `${key}: ${value}`);
}

/** Rows with two spaces before them and between their columns. */
function block(title: string, rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((row) => (row[i] ?? '').length)),
  );
  const lines = rows.map((row) =>
    `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd(),
  );
  return [`${title}:`, ...lines].map((line) => `${line}\n`).join('');
}

/** Kinds of events that tell of trouble. */
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

/** `report-ended` as `ReportEnded`, the way reasons are spelled. */
export function reasonOf({ kind }: TimelineEvent): string {
  return kind.replaceAll(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}

function eventsText(events: readonly TimelineEvent[], nowMs: number): string {
  if (events.length === 0) return 'Events:  <none>\n';
  const rows = events.map((event) => [
    typeOf(event),
    reasonOf(event),
    durationText(nowMs - event.atMs),
    event.instance === '' ? 'registry' : event.instance,
    event.reason,
  ]);
  const head = ['Type', 'Reason', 'Age', 'From', 'Message'];
  const rule = head.map((title) => '-'.repeat(title.length));
  return block('Events', [head, rule, ...rows]);
}

function portFields(object: ManifestObject, endpoints: ManifestObject | undefined): Field[] {
  const { ports = [] } = specOf(object);
  return ports.flatMap(
    ({ name = '', port, protocol = 'TCP', targetPort, nodePort = 0 }): Field[] => {
      const title = name === '' ? '<unset>' : name;
      const places = endpoints === undefined ? [] : placesOf(endpoints, name);
      return [
        ['Port', `${title}  ${port}/${protocol}`],
        ['TargetPort', `${targetPort ?? port}/${protocol}`],
        ...(nodePort > 0 ? [['NodePort', `${title}  ${nodePort}/${protocol}`] as const] : []),
        ['Endpoints', firstFew(places)],
      ];
    },
  );
}

async function describeService(context: Context, object: ManifestObject): Promise<string> {
  const { name, namespace, labels } = object.metadata;
  const { rollcall, clock } = context;
  const spec = specOf(object);
  const params = { ns: namespace, kind: 'endpoints', name };
  const endpoints = await rollcall.call('readManifest', { params }).catch(() => undefined);
  const { events } = await rollcall.call('events', {
    query: { namespace, service: name, limit: 20 },
  });
  const { reports } = await rollcall.call('listReports', { params: { ns: namespace, svc: name } });
  const isExternal = spec.type === 'ExternalName';
  const ingress = ingressOf(object);
  const fields: Field[] = [
    ['Name', name],
    ['Namespace', namespace],
    ['Labels', ...pairs(labels)],
    ['Annotations', ...annotationsOf(object)],
    ['Selector', pairs(spec.selector).join(',') || NONE],
    ['Type', spec.type ?? 'ClusterIP'],
    ...(isExternal
      ? ([['External Name', spec.externalName ?? '']] as const)
      : ([
          ['IP Family Policy', spec.ipFamilyPolicy ?? 'SingleStack'],
          ['IP Families', (spec.ipFamilies ?? []).join(',') || NONE],
          ['IP', spec.clusterIP ?? NONE],
          ['IPs', (spec.clusterIPs ?? []).join(',') || NONE],
        ] as const)),
    ...((spec.externalIPs ?? []).length > 0
      ? [['External IPs', (spec.externalIPs ?? []).join(',')] as const]
      : []),
    ...(spec.loadBalancerIP === undefined
      ? []
      : [['Desired LoadBalancer IP', spec.loadBalancerIP] as const]),
    ...(ingress.length > 0 ? [['LoadBalancer Ingress', ingress.join(', ')] as const] : []),
    ...portFields(object, endpoints),
    ['Session Affinity', spec.sessionAffinity ?? 'None'],
    ...(spec.externalTrafficPolicy === undefined
      ? []
      : [['External Traffic Policy', spec.externalTrafficPolicy] as const]),
    ...(spec.internalTrafficPolicy === undefined
      ? []
      : [['Internal Traffic Policy', spec.internalTrafficPolicy] as const]),
    ...(spec.healthCheckNodePort === undefined
      ? []
      : [['HealthCheck NodePort', String(spec.healthCheckNodePort)] as const]),
    ...((spec.loadBalancerSourceRanges ?? []).length > 0
      ? [['LoadBalancer Source Ranges', (spec.loadBalancerSourceRanges ?? []).join(',')] as const]
      : []),
  ];
  const conditions = reports.flatMap(({ reporter, conditions: said }) =>
    said.map(({ type, status, reason, message }) => [type, status, reason, reporter, message]),
  );
  const head = ['Type', 'Status', 'Reason', 'Reporter', 'Message'];
  const rule = head.map((title) => '-'.repeat(title.length));
  return (
    fieldsText(fields) +
    (conditions.length > 0 ? block('Conditions', [head, rule, ...conditions]) : '') +
    eventsText(events, clock.nowMs())
  );
}

async function describeInstance(
  { rollcall, clock }: Context,
  object: ManifestObject,
): Promise<string> {
  const { name, namespace, labels } = object.metadata;
  const { service, address, ports, zone, weight, ttlMs, persistent } = instanceSpec(object);
  const { ready, serving, terminating, tier, override } = instanceStatus(object);
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
    [
      'Ports',
      ...Object.entries(ports).map(([portName, { port, containerPort, protocol }]) => {
        const inner = containerPort === undefined ? '' : ` (containerPort ${containerPort})`;
        return `${portName}  ${port}/${protocol}${inner}`;
      }),
    ],
    ['Zone', zone || NONE],
    ['Weight', String(weight)],
    ['Lease', persistent ? 'none: the registry checks it itself' : `${ttlMs} ms`],
    [
      'Override',
      override === null ? NONE : `${override.status} by ${override.author}: ${override.reason}`,
    ],
  ];
  return fieldsText(fields) + eventsText(events, clock.nowMs());
}

/** What has no page of its own is shown field by field. */
function describeOther(object: ManifestObject): string {
  const { name, namespace, labels } = object.metadata;
  const fields: Field[] = [
    ['Name', name],
    ['Namespace', namespace],
    ['Labels', ...pairs(labels)],
    ['Annotations', ...annotationsOf(object)],
  ];
  return (
    fieldsText(fields) +
    outline({ ...object, apiVersion: undefined, kind: undefined, metadata: undefined }, '')
  );
}

function outline(value: object, indent: string): string {
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([key, one]: [string, unknown]) => {
      const title = key.replace(/^[a-z]/, (letter) => letter.toUpperCase());
      if (typeof one !== 'object' || one === null) return `${indent}${title}:  ${String(one)}\n`;
      return `${indent}${title}:\n${outline(one, `${indent}  `)}`;
    })
    .join('');
}

export const describe: Command = {
  name: 'describe',
  summary: 'Show one thing with its endpoints, conditions and events',
  usage: 'describe TYPE [NAME...] | TYPE/NAME...',
  examples: ['describe svc nginx', 'describe instance nginx/a', 'describe svc -l app=nginx'],
  options: { selector: SELECTING.selector },
  run: async (context, given) => {
    const texts: string[] = [];
    for (const { resource, names } of selectionsOf(given.words)) {
      const objects =
        names.length === 0
          ? await resource.list(context, context.namespace, textOption(given, 'selector'))
          : await Promise.all(names.map((name) => resource.get(context, context.namespace, name)));
      for (const object of objects) {
        if (resource === services) texts.push(await describeService(context, object));
        else if (resource === instances) texts.push(await describeInstance(context, object));
        else texts.push(describeOther(object));
      }
    }
    context.out.write(texts.join('\n\n'));
    if (texts.length === 0) {
      context.err.write(`No resources found in ${context.namespace} namespace.\n`);
    }
    return EXIT.ok;
  },
};
