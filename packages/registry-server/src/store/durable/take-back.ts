import { instanceKeyOf, type InstanceKey } from '@rollcall/contract';
import type { Pool, PutItem, Store, StoreSnapshot } from '../store.ts';
import type { PoolName } from '../record.ts';

/** The widest ranges, so that each resource can get back the number it had before. */
const ALL: Readonly<Record<PoolName, Pool>> = {
  clusterIps: { first: 0, last: 0xffff_ffff, reserved: 0 },
  nodePorts: { first: 0, last: 65_535, reserved: 0 },
};

/** Restores resources, and instances without a lease, to their state in a snapshot. */
export async function takeBack(
  store: Store,
  before: StoreSnapshot,
  {
    keys,
    instanceKeys,
  }: { readonly keys: readonly string[]; readonly instanceKeys: readonly InstanceKey[] },
): Promise<void> {
  const floor = before.upTo;
  for (const key of keys) {
    const known = before.resources.find((resource) => resource.key === key);
    if (known === undefined) {
      await store.remove({ key, floor });
      continue;
    }
    const { value, claims, untilMs } = known;
    const forMs = untilMs === 0 ? 0 : 1;
    const item: PutItem = { key, value, forMs, why: 'configured', claims };
    await store.put({ items: [item], pools: ALL, floor });
  }
  for (const instanceKey of instanceKeys) {
    const known = before.instances.find((record) => instanceKeyOf(record) === instanceKey);
    if (known === undefined) await store.revoke({ instanceKey, lease: undefined, floor });
    else if (known.lease === '') {
      const { nonce, body } = known;
      const maxInstances = Number.MAX_SAFE_INTEGER;
      const again = { instanceKey, lease: '', nonce, takeover: true, body, maxInstances, floor };
      await store.grant(again);
    }
  }
}
