import type { Endpoint } from '@rollcall/client-sdk';

/** Why an endpoint is in its state, as the registry says it. */
export function reasonOf(endpoint: Endpoint, otherwise: string): string {
  return endpoint.reason === '' ? `the instance ${otherwise}` : endpoint.reason;
}
