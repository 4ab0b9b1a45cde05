import type { ManifestObject } from '@rollcall/client-sdk';
import type { Endpoints, EndpointSlice } from '@rollcall/manifests';
import { visibleLine } from '../output/untrusted.ts';
import { joined, NONE, partOf } from '../resources/resource.ts';
import { type Field, fieldsText, headOf, ruledRows } from './page.ts';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Ports = EndpointSlice['ports'];

const UNSET = '<unset>';

function portsText(ports: Ports, indent: string): string {
  const rows = (ports ?? []).map(({ name = '', port, protocol = 'TCP' }) => [
    name === '' ? UNSET : name,
    port === undefined ? UNSET : String(port),
    protocol,
  ]);
  return ruledRows(['Name', 'Port', 'Protocol'], rows, indent);
}

function subsetText({ addresses = [], notReadyAddresses = [], ports = [] }: Subset): string {
  const ipsOf = (list: typeof addresses) => joined(list.map(({ ip = '' }) => ip));
  const fields: Field[] = [
    ['Addresses', ipsOf(addresses)],
    ['NotReadyAddresses', ipsOf(notReadyAddresses)],
  ];
  const shown = ports.length === 0 ? '' : `  Ports:\n${portsText(ports, '    ')}`;
  return `${fieldsText(fields, '  ')}${shown}\n`;
}

/** An Endpoints object, one subset after another. */
export function endpointsPage(object: ManifestObject): string {
  const subsets = (partOf(object, 'subsets') as readonly Subset[] | undefined) ?? [];
  const shown = subsets.map(subsetText).join('');
  return `${fieldsText(headOf(object))}Subsets:\n${shown}Events:  ${NONE}\n`;
}

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number];

function endpointText(endpoint: SliceEndpoint): string {
  const { addresses = [], conditions, hostname, targetRef, zone, nodeName } = endpoint;
  const ref = targetRef as { readonly kind?: string; readonly name?: string } | undefined;
  const rest: Field[] = [
    ['Hostname', hostname ?? UNSET],
    ...(ref === undefined ? [] : [['TargetRef', `${ref.kind}/${ref.name}`] as const]),
    ['NodeName', nodeName ?? UNSET],
    ['Zone', zone ?? UNSET],
  ];
  const ready = conditions?.ready ?? UNSET;
  return (
    `  - Addresses:  ${visibleLine(addresses.join(', ')) || NONE}\n` +
    `    Conditions:\n      Ready:    ${String(ready)}\n${fieldsText(rest, '    ')}`
  );
}

/** An EndpointSlice with each of its endpoints. */
export function endpointSlicePage(object: ManifestObject): string {
  const ports = partOf(object, 'ports') as Ports;
  const endpoints = (partOf(object, 'endpoints') as EndpointSlice['endpoints']) ?? [];
  const type = object['addressType'] as string;
  const portsPart =
    (ports ?? []).length === 0 ? `Ports: ${UNSET}\n` : `Ports:\n${portsText(ports, '  ')}`;
  const endpointsPart =
    endpoints.length === 0
      ? `Endpoints: ${NONE}\n`
      : `Endpoints:\n${endpoints.map(endpointText).join('')}`;
  const head = fieldsText([...headOf(object), ['AddressType', type]]);
  return `${head}${portsPart}${endpointsPart}Events:  ${NONE}\n`;
}
