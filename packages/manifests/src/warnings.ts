import { endpointsWarnings, sliceWarnings } from './endpoints/warnings.ts';
import { newIngressWarnings } from './ingress/warnings.ts';
import type { Manifest } from './reading/kinds.ts';
import { serviceWarnings } from './service/warnings.ts';

/** What the Kubernetes API server says of a valid manifest that it takes. `isNew`: it replaces no other one. */
export function usualWarnings(manifest: Manifest, isNew: boolean): string[] {
  switch (manifest.kind) {
    case 'Service':
      return serviceWarnings(manifest);
    case 'Endpoints':
      return endpointsWarnings(manifest);
    case 'EndpointSlice':
      return sliceWarnings(manifest);
    case 'Ingress':
      return isNew ? newIngressWarnings(manifest) : [];
    default:
      return [];
  }
}
