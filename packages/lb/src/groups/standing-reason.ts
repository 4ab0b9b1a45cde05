import type { Endpoint } from '@rollcall/client-sdk';

/** Why an endpoint is in its state, as the registry says it. */
export function reasonOf(endpoint: Endpoint, otherwise: string): string {
  return endpoint.reason === '' ? `the instance ${otherwise}` : endpoint.reason;
}

/** Why an endpoint is not there any more. One that no registry knows has no named port. */
export function leftReason({ portName }: Endpoint): string {
  return portName === '' ? 'it is not among the targets any more' : 'left the registry';
}
