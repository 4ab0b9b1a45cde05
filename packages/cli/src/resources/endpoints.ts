import type { ManifestObject } from '@rollcall/client-sdk';
import { urlHostOf } from '@rollcall/contract';
import type { Endpoints, EndpointSlice } from '@rollcall/manifests';
import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { firstFew, joined, NONE, partOf } from './resource.ts';

const placeText = (address: string, port: number): string => `${urlHostOf(address)}:${port}`;

/** Ready addresses of an Endpoints object, with their ports if it has any. */
function placesOf(object: ManifestObject): string[] {
  const subsets = (partOf(object, 'subsets') as Endpoints['subsets']) ?? [];
  return subsets.flatMap(({ addresses = [], ports = [] }) => {
    const ips = addresses.map(({ ip = '' }) => ip);
    if (ports.length === 0) return ips;
    return ports.flatMap(({ port = 0 }) => ips.map((ip) => placeText(ip, port)));
  });
}

/** Ready addresses of slices, for one port. */
export function placesOfSlices(slices: readonly ManifestObject[], portName: string): string[] {
  const places = slices.flatMap((slice) => {
    const endpoints = (partOf(slice, 'endpoints') as EndpointSlice['endpoints']) ?? [];
    const ports = (partOf(slice, 'ports') as EndpointSlice['ports']) ?? [];
    const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
    return ports
      .filter(({ name = '' }) => name === portName)
      .flatMap(({ port = 0 }) =>
        ready.flatMap(({ addresses = [] }) => addresses.map((one) => placeText(one, port))),
      );
  });
  return places.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

export const endpoints = manifestResource({
  kind: 'Endpoints',
  apiVersion: 'v1',
  names: ['endpoints', 'endpoints', 'ep'],
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
