import { ipWarnings } from '../addresses/ip-warnings.ts';
import type { Endpoints, EndpointSlice } from './endpoints.ts';

/** What the Kubernetes API server says of valid Endpoints that may not be what their author means. */
export function endpointsWarnings({ subsets = [] }: Endpoints): string[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [] }, i) =>
    Object.entries({ addresses, notReadyAddresses }).flatMap(([name, list]) =>
      list.flatMap(({ ip = '' }, n) => ipWarnings(`subsets[${i}].${name}[${n}].ip`, ip)),
    ),
  );
}

/** The same of a slice. */
export function sliceWarnings({ addressType, endpoints = [] }: EndpointSlice): string[] {
  if (addressType === 'FQDN') return [];
  return endpoints.flatMap(({ addresses = [] }, i) =>
    addresses.flatMap((address, n) => ipWarnings(`endpoints[${i}].addresses[${n}]`, address)),
  );
}
