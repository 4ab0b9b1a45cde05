import { type Endpoint, type Rollcall, RollcallError } from '@rollcall/client-sdk';

/** Nothing of the service is there, as far as the registry knows. */
const NOTHING: ReadonlySet<string> = new Set(['service_not_found', 'warming_up']);

/** The endpoints of a service. */
export async function readRoll(
  client: Rollcall,
  namespace: string,
  service: string,
): Promise<readonly Endpoint[]> {
  try {
    const { endpoints } = await client.call('resolve', { params: { ns: namespace, svc: service } });
    return endpoints;
  } catch (error) {
    if (error instanceof RollcallError && NOTHING.has(error.code)) return [];
    throw error;
  }
}
