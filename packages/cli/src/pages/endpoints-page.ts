import type { ManifestObject } from '@rollcall/client-sdk';
import type { Endpoints, EndpointSlice } from '@rollcall/manifests';
import { tabbedText } from '../output/tabbed.ts';
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

function endpointLines(endpoint: SliceEndpoint): string[][] {
  const { addresses = [], conditions, hostname, targetRef, zone, nodeName } = endpoint;
  const ref = targetRef as { readonly kind?: string; readonly name?: string } | undefined;
  return [
    ['  - Addresses:', addresses.join(', ') || NONE],
    ['    Conditions:'],
    ['      Ready:', String(conditions?.ready ?? UNSET)],
    ['    Hostname:', hostname ?? UNSET],
    ...(ref === undefined ? [] : [['    TargetRef:', `${ref.kind ?? ''}/${ref.name ?? ''}`]]),
    ['    NodeName:', nodeName ?? UNSET],
    ['    Zone:', zone ?? UNSET],
  ];
}

/** An EndpointSlice with each of its endpoints. */
export function endpointSlicePage(object: ManifestObject): string {
  const ports = (partOf(object, 'ports') as Ports) ?? [];
  const endpoints = (partOf(object, 'endpoints') as EndpointSlice['endpoints']) ?? [];
  const type = object['addressType'] as string;
  const rest = [
    ...(endpoints.length === 0
      ? [[`Endpoints: ${NONE}`]]
      : [['Endpoints:'], ...endpoints.flatMap(endpointLines)]),
    ['Events:', NONE],
  ];
  return (
    fieldsText([...headOf(object), ['AddressType', type]]) +
    (ports.length === 0 ? `Ports: ${UNSET}\n` : `Ports:\n${portsText(ports, '  ')}`) +
    tabbedText(rest)
  );
}
