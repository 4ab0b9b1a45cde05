import { type Endpoint, Rollcall, RollcallError } from '@rollcall/client-sdk';

export interface Read {
  readonly service: string;
  readonly namespace: string;
  readonly token: string | undefined;
}

/** Nothing of the service is there, as far as the registry knows. */
const NOTHING: ReadonlySet<string> = new Set(['service_not_found', 'warming_up']);

/** The endpoints of a service, read from a server without anything in between. */
export async function readRoll(
  url: URL,
  { service, namespace, token }: Read,
): Promise<readonly Endpoint[]> {
  const client = new Rollcall({ url: url.href, ...(token === undefined ? {} : { token }) });
  try {
    const { endpoints } = await client.call('resolve', { params: { ns: namespace, svc: service } });
    return endpoints;
  } catch (error) {
    if (error instanceof RollcallError && NOTHING.has(error.code)) return [];
    throw error;
  } finally {
    await client.close();
  }
}
