import { makeLeaseId } from '../../store/lease-id.ts';
import type { LogEntry } from '../../store/log-entry.ts';
import { putOne as putWhy } from '../../store/put-one.ts';
import type { InstanceBody, InstanceRecord, ResourceRecord } from '../../store/record.ts';
import type { GrantRequest, Store } from '../../store/store.ts';
import type { HarnessOptions, StoreHarness } from '../store-harness.ts';

/** The store under test, a new one for each case. */
export interface StoreUnderTest {
  readonly store: Store;
  readonly harness: StoreHarness;
  /** Continues with another store. */
  restart(options?: HarnessOptions): Promise<void>;
  /** Lets time pass while servers sweep. */
  live(ms: number): Promise<void>;
}

export const TTL_MS = 10_000;
const NEVER = new AbortController().signal;
export const WRITE = { floor: 0 };
let serial = 0;

/** The body that a registration produces. */
export function bodyOf(over: Partial<InstanceBody> = {}): InstanceBody {
  return {
    address: '10.0.0.1',
    ports: { http: { port: 3000, protocol: 'TCP' } },
    labels: { app: 'orders' },
    zone: '',
    weight: 100,
    ttlMs: TTL_MS,
    status: 'up',
    ...over,
  };
}

/** A grant with a new lease id. */
export function grantOf(
  over: Partial<GrantRequest> & { readonly ttlMs?: number } = {},
): GrantRequest {
  const { ttlMs = TTL_MS, ...rest } = over;
  return {
    instanceKey: 'default/orders/a1',
    lease: makeLeaseId(0, ttlMs, (serial++).toString(16).padStart(32, '0')),
    nonce: '',
    takeover: false,
    body: bodyOf({ ttlMs }),
    maxInstances: 1_000,
    floor: 0,
    ...rest,
  };
}

export async function leaseOf(
  store: Store,
  over: Parameters<typeof grantOf>[0] = {},
): Promise<string> {
  const outcome = await store.grant(grantOf(over));
  if (outcome.kind !== 'granted') throw new Error(`not granted: ${outcome.kind}`);
  return outcome.lease;
}

export async function recordOf(store: Store, id: string): Promise<InstanceRecord | undefined> {
  const { instances } = await store.snapshot();
  const found = instances.find((record) => record.id === id);
  // A driver that keeps JSON leaves out what is undefined.
  return found === undefined ? undefined : { ...found, doubt: found.doubt };
}

export async function entriesAfter(store: Store, revision: number): Promise<readonly LogEntry[]> {
  const { entries } = await store.follow(revision, NEVER);
  return entries;
}

export function putOne(
  store: Store,
  item: { readonly key: string; readonly value: string; readonly forMs: number },
): Promise<ResourceRecord> {
  return putWhy(store, { ...item, why: 'overridden' }, 0);
}
