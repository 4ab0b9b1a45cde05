import type { ManifestObject } from '@rollcall/client-sdk';
import type { Endpoints, EndpointSlice } from '@rollcall/manifests';
import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { firstFew, joined, NONE, partOf } from './resource.ts';

/** `address:port` with brackets where an IPv6 address needs them. */
export function placeText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Ready addresses of an Endpoints object, of one port name where given. */
export function placesOf(object: ManifestObject, portName?: string): string[] {
  return (
    (partOf(object, 'subsets') as NonNullable<Endpoints['subsets']> | undefined) ?? []
  ).flatMap(({ addresses = [], ports = [] }) => {
    const wanted = ports.filter(({ name = '' }) => portName === undefined || name === portName);
    return wanted.flatMap(({ port = 0 }) => addresses.map(({ ip = '' }) => placeText(ip, port)));
  });
}

export const endpoints = manifestResource({
  kind: 'Endpoints',
  apiVersion: 'v1',
  names: ['endpoints', 'endpoint', 'ep'],
  prefix: 'endpoints',
  columns: [NAME, { title: 'ENDPOINTS', cell: (object) => firstFew(placesOf(object)) }, AGE],
});

function slicePorts(object: ManifestObject): string {
  const ports = (partOf(object, 'ports') as NonNullable<EndpointSlice['ports']> | undefined) ?? [];
  return ports.length === 0 ? '<unset>' : joined(ports.map(({ port }) => String(port ?? '*')));
}

function sliceAddresses(object: ManifestObject): string {
  const list =
    (partOf(object, 'endpoints') as NonNullable<EndpointSlice['endpoints']> | undefined) ?? [];
  const addresses = list.flatMap((endpoint) => endpoint.addresses ?? []);
  return addresses.length === 0 ? '<unset>' : firstFew(addresses);
}

export const endpointSlices = manifestResource({
  kind: 'EndpointSlice',
  apiVersion: 'discovery.k8s.io/v1',
  names: ['endpointslices', 'endpointslice'],
  prefix: 'endpointslice.discovery.k8s.io',
  columns: [
    NAME,
    {
      title: 'ADDRESSTYPE',
      cell: (object) => (object['addressType'] as string | undefined) ?? NONE,
    },
    { title: 'PORTS', cell: slicePorts },
    { title: 'ENDPOINTS', cell: sliceAddresses },
    AGE,
  ],
});
