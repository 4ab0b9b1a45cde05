import type { InstanceKey } from '@rollcall/contract';
import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { bodyOf } from '../testing/conformance/cases.ts';
import {
  type CreateHarness,
  memoryHarness,
  redisHarness,
  type StoreHarness,
} from '../testing/store-harness.ts';
import { makeLeaseId } from './lease-id.ts';
import { SUSPECT_MS, SWEEP_GAP_MS } from './limits.ts';
import type { BodyPatch, ChangeOutcome, Store } from './store.ts';

const TTL_MS = 4_000;
const IDS = ['a', 'b', 'c'] as const;
const NONCES = ['', 'process-1', 'process-2'] as const;
const keyOf = (id: string): InstanceKey => `default/orders/${id}`;

interface ModelInstance {
  lease: string;
  nonce: string;
  weight: number;
  status: string;
  isSuspect: boolean;
  deadlineMs: number;
}

/** The rules in their plainest form: what a reader of the design would expect, with no regard for speed. */
class Model {
  nowMs = 0;
  readonly roll = new Map<string, ModelInstance>();
  readonly leases = new Map<string, string>();
  readonly holds = new Map<string, number>();
  /** `id nonce` of processes that another one displaced. */
  readonly former = new Set<string>();

  missOf(lease: string): 'unknown' | 'superseded' {
    const id = this.leases.get(lease);
    const hasSuccessor =
      id !== undefined && this.roll.has(id) && this.roll.get(id)?.lease !== lease;
    return hasSuccessor ? 'superseded' : 'unknown';
  }

  holder(lease: string): ModelInstance | undefined {
    const instance = this.roll.get(this.leases.get(lease) ?? '');
    return instance?.lease === lease ? instance : undefined;
  }

  grant(id: string, lease: string, nonce: string, takeover: boolean, weight: number) {
    const known = this.roll.get(id);
    if (known !== undefined) {
      if (nonce !== '' && known.nonce === nonce) {
        Object.assign(known, {
          weight,
          status: 'up',
          isSuspect: false,
          deadlineMs: this.nowMs + TTL_MS,
        });
        return { kind: 'granted', lease: known.lease };
      }
      const isLive = known.deadlineMs > this.nowMs;
      const isClosed = this.former.has(`${id} ${nonce}`) || (isLive && !known.isSuspect);
      if (nonce !== '' && !takeover && isClosed) return { kind: 'taken' };
      if (known.nonce !== '') this.former.add(`${id} ${known.nonce}`);
    }
    this.former.delete(`${id} ${nonce}`);
    this.leases.set(lease, id);
    const deadlineMs = this.nowMs + TTL_MS;
    this.roll.set(id, { lease, nonce, weight, status: 'up', isSuspect: false, deadlineMs });
    return { kind: 'granted', lease };
  }

  renew(lease: string): 'renewed' | 'unknown' | 'superseded' {
    const instance = this.holder(lease);
    if (instance === undefined) return this.missOf(lease);
    Object.assign(instance, { deadlineMs: this.nowMs + TTL_MS, isSuspect: false });
    return 'renewed';
  }

  suspect(lease: string, hold: number): boolean {
    const instance = this.holder(lease);
    // It stays the current one until another takes its place: a second look finds it again.
    if (instance === undefined || this.holds.get(lease) !== hold) return false;
    instance.isSuspect = true;
    instance.deadlineMs = Math.min(instance.deadlineMs, this.nowMs + SUSPECT_MS);
    return true;
  }

  update(id: string, lease: string | undefined, patch: BodyPatch): ChangeOutcome['kind'] {
    const instance = this.roll.get(id);
    if (instance === undefined) return lease === undefined ? 'missing' : this.missOf(lease);
    if (lease !== undefined && lease !== instance.lease) return 'superseded';
    if (patch.weight !== undefined) instance.weight = patch.weight;
    if (patch.status !== undefined) instance.status = patch.status;
    return 'changed';
  }

  revoke(id: string, lease: string | undefined): ChangeOutcome['kind'] {
    const instance = this.roll.get(id);
    if (instance === undefined) return 'missing';
    if (lease !== undefined && lease !== instance.lease) return 'superseded';
    this.roll.delete(id);
    return 'changed';
  }

  /** Time passes in steps with a sweep at the end of each, as servers do. */
  sweep(): void {
    for (const [id, { deadlineMs }] of this.roll)
      if (deadlineMs <= this.nowMs) this.roll.delete(id);
  }
}

type Command =
  | { do: 'grant'; id: string; nonce: string; takeover: boolean; weight: number }
  | { do: 'renew' | 'hold'; of: number }
  | { do: 'suspect'; of: number; isStale: boolean }
  | { do: 'update'; id: string; of: number | undefined; patch: BodyPatch }
  | { do: 'revoke'; id: string; of: number | undefined }
  | { do: 'pass'; ms: number };

const id = fc.constantFrom(...IDS);
const of = fc.nat({ max: 5 });
const maybeOf = fc.option(of, { nil: undefined });
const weight = fc.nat({ max: 2 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('grant' as const),
      id,
      nonce: fc.constantFrom(...NONCES),
      takeover: fc.boolean(),
      weight,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('renew' as const, 'hold' as const), of }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('suspect' as const), of, isStale: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('update' as const),
      id,
      of: maybeOf,
      patch: fc.record(
        { weight, status: fc.constantFrom('up' as const, 'draining' as const) },
        { requiredKeys: [] },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), id, of: maybeOf }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.integer({ min: 1, max: 4_900 }),
    }),
  },
);

/** Runs one sequence on a store and on the model; every outcome and the end state must agree. */
class Run {
  readonly #model = new Model();
  readonly #granted: string[] = [];
  readonly #holds = new Map<string, number>();
  readonly #store: Store;
  readonly #harness: StoreHarness;

  constructor(harness: StoreHarness) {
    this.#harness = harness;
    this.#store = harness.store;
  }

  async all(commands: readonly Command[]): Promise<void> {
    await this.#store.expire({ floor: 0 });
    for (const next of commands) await this.#one(next);
    const { instances } = await this.#store.snapshot();
    const state = instances
      .map(({ id: own, lease, doubt, body }) => [
        own,
        lease,
        doubt === 'suspect',
        body.weight,
        body.status,
      ])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    const expected = [...this.#model.roll]
      .map(([own, { lease, isSuspect, weight: share, status }]) => [
        own,
        lease,
        isSuspect,
        share,
        status,
      ])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    expect(state).toEqual(expected);
  }

  #lease(nth: number | undefined): string | undefined {
    return nth === undefined ? undefined : this.#granted.at(-1 - nth);
  }

  async #one(next: Command): Promise<void> {
    const model = this.#model;
    const store = this.#store;
    const floor = 0;
    if (next.do === 'grant') {
      const lease = makeLeaseId(0, TTL_MS, this.#granted.length.toString(16).padStart(32, '0'));
      const body = bodyOf({ ttlMs: TTL_MS, weight: next.weight });
      const { nonce, takeover } = next;
      const outcome = await store.grant({
        instanceKey: keyOf(next.id),
        lease,
        nonce,
        takeover,
        body,
        maxInstances: 9,
        floor,
      });
      expect(outcome).toMatchObject(model.grant(next.id, lease, nonce, takeover, next.weight));
      if (outcome.kind === 'granted') this.#granted.push(outcome.lease);
    } else if (next.do === 'pass') {
      for (let left = next.ms; left > 0; left -= SWEEP_GAP_MS) {
        const ms = Math.min(left, SWEEP_GAP_MS);
        model.nowMs += ms;
        await this.#harness.advance(ms);
        await store.expire({ floor });
        model.sweep();
      }
    } else if (next.do === 'update') {
      const lease = this.#lease(next.of);
      const outcome = await store.update({
        instanceKey: keyOf(next.id),
        lease,
        patch: next.patch,
        floor,
      });
      expect(outcome.kind).toBe(model.update(next.id, lease, next.patch));
    } else if (next.do === 'revoke') {
      const lease = this.#lease(next.of);
      const outcome = await store.revoke({ instanceKey: keyOf(next.id), lease, floor });
      expect(outcome.kind).toBe(model.revoke(next.id, lease));
    } else await this.#onLease(next);
  }

  async #onLease(next: Command & { do: 'renew' | 'hold' | 'suspect' }): Promise<void> {
    const lease = this.#lease(next.of);
    if (lease === undefined) return;
    const model = this.#model;
    if (next.do === 'suspect') {
      const hold = (this.#holds.get(lease) ?? 0) - (next.isStale ? 1 : 0);
      expect(await this.#store.suspect(lease, hold, { floor: 0 })).toBe(model.suspect(lease, hold));
      return;
    }
    const renewed = model.renew(lease);
    if (next.do === 'renew') {
      const { unknown, superseded } = await this.#store.renew([lease], { floor: 0 });
      const kind =
        unknown.length > 0 ? 'unknown' : superseded.length > 0 ? 'superseded' : 'renewed';
      expect(kind).toBe(renewed);
      return;
    }
    const outcome = await this.#store.hold(lease, { floor: 0 });
    expect(outcome.kind).toBe(renewed === 'renewed' ? 'held' : renewed);
    if (outcome.kind !== 'held') return;
    this.#holds.set(lease, outcome.hold);
    model.holds.set(lease, outcome.hold);
  }
}

async function check(create: CreateHarness, commands: readonly Command[]): Promise<void> {
  const harness = await create();
  try {
    await new Run(harness).all(commands);
  } finally {
    await harness.close();
  }
}

/** The log of one sequence, so that two drivers can be compared entry by entry. */
async function logOf(create: CreateHarness, commands: readonly Command[]) {
  const harness = await create();
  try {
    await new Run(harness).all(commands);
    const { entries } = await harness.store.follow(0, new AbortController().signal);
    // Digests are each driver's own, of its own spelling.
    return entries.map(({ before: _before, digest: _digest, ...entry }) => entry);
  } finally {
    await harness.close();
  }
}

const sequences = fc.array(command, { minLength: 1, maxLength: 25 });

test('memory and Redis do what the model does, over 1,000 random sequences', async () => {
  const onRedis = redisHarness(inject('redisUrl'));
  await fc.assert(
    fc.asyncProperty(sequences, async (commands) => {
      await check(memoryHarness, commands);
      await check(onRedis, commands);
    }),
    { numRuns: 1_000 },
  );
}, 300_000);

test('memory and Redis write the same log, entry by entry', async () => {
  const onRedis = redisHarness(inject('redisUrl'));
  await fc.assert(
    fc.asyncProperty(sequences, async (commands) => {
      const first = { do: 'grant' as const, id: 'a', nonce: '', takeover: false, weight: 1 };
      const all = [first, ...commands];
      expect(await logOf(onRedis, all)).toEqual(await logOf(memoryHarness, all));
    }),
    { numRuns: 200 },
  );
}, 300_000);
