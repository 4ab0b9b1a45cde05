import { HttpLoad, requestBytes } from '../support/http-load.ts';

const CONNECTIONS = 256;
const INSTANCES_EACH = 100;

/** Long enough that no lease expires during the measurement, in ms. */
const TTL_MS = 300_000;

/** Registers `leases` instances, a hundred per service; returns their leases. */
export async function fillRoll(port: number, leases: number): Promise<string[]> {
  const ids: string[] = [];
  const onBody = (body: string) => {
    ids.push((JSON.parse(body) as { lease: { id: string } }).lease.id);
  };
  const load = new HttpLoad({ port, connections: CONNECTIONS, status: 200, onBody });
  await load.open();
  let at = 0;
  await load.runCount(leases, () => {
    const instance = at++;
    const path = `/v1/namespaces/default/services/s${Math.floor(instance / INSTANCES_EACH)}/instances/i${instance}`;
    return requestBytes('PUT', path, { ports: { http: 3_000 }, ttlMs: TTL_MS });
  });
  load.close();
  return ids;
}

/** Returns the items in turn, endlessly. */
export function inTurn<T>(items: readonly T[]): () => T {
  let at = 0;
  return () => items[at++ % items.length]!;
}
