import type { ManifestObject } from '@rollcall/client-sdk';
import { urlHostOf } from '@rollcall/contract';
import type { Endpoints, EndpointSlice } from '@rollcall/manifests';
import { AGE, manifestResource, NAME } from './manifest-resource.ts';
import { firstFew, NONE, partOf } from './resource.ts';

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

/** Ready addresses of slices, for one port. Slices without ports have addresses alone. */
export function placesOfSlices(slices: readonly ManifestObject[], portName: string): string[] {
  const places = slices.flatMap((slice) => {
    const endpoints = (partOf(slice, 'endpoints') as EndpointSlice['endpoints']) ?? [];
    const ports = (partOf(slice, 'ports') as EndpointSlice['ports']) ?? [];
    const ready = endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      // The addresses of an endpoint are those of one machine: the first stands for them.
      .flatMap(({ addresses: [address] = [] }) => address ?? []);
    if (ports.length === 0) return ready;
    return ports
      .filter(({ name = '' }) => name === portName)
      .flatMap(({ port }) => ready.map((one) => (port === undefined ? one : placeText(one, port))));
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
  const ports = (partOf(object, 'ports') as EndpointSlice['ports']) ?? [];
  // A port without a number means all ports.
  return unsetOr(ports.map(({ port, name }) => String(port ?? (name || '*'))));
}

function sliceAddresses(object: ManifestObject): string {
  const list = (partOf(object, 'endpoints') as EndpointSlice['endpoints']) ?? [];
  return unsetOr(list.flatMap((endpoint) => endpoint.addresses ?? []));
}

const unsetOr = (texts: readonly string[]) => (texts.length === 0 ? '<unset>' : firstFew(texts));

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
