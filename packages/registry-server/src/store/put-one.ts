import type { ResourceRecord } from './record.ts';
import type { PutItem, Store } from './store.ts';

/** Puts one resource without an expected revision or claims, so the store has no reason to refuse it. */
export async function putOne(store: Store, item: PutItem, floor: number): Promise<ResourceRecord> {
  const outcome = await store.put({ items: [item], floor });
  if (outcome.kind === 'put' && outcome.resources[0] !== undefined) return outcome.resources[0];
  throw new TypeError(`a put without conditions was refused: ${outcome.kind}`);
}
