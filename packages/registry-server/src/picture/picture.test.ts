import type { Endpoint, InstanceKey } from '@rollcall/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeLeaseId } from '../store/lease-id.ts';
import type { InstanceBody } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import { ManualClock } from '@rollcall/runtime/testing';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { overrideKeyOf } from './instances/endpoints.ts';
import { Picture, type ServiceChange } from './picture.ts';
import { Roll } from './roll.ts';

const SERVICES = ['one', 'two'] as const;
const IDS = ['a', 'b', 'c'] as const;
const NEVER = new AbortController().signal;

const step = fc.record({
  do: fc.constantFrom('grant', 'revoke', 'drain', 'weigh', 'override', 'lift', 'pass'),
  service: fc.constantFrom(...SERVICES),
  id: fc.constantFrom(...IDS),
  /** Whether the picture is brought up to date after this step: several entries may come as one batch. */
  isFollowed: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function bodyOf(service: string): InstanceBody {
  const ports = {
    http: { port: 80, protocol: 'TCP' },
    admin: { port: 81, protocol: 'TCP' },
  } as const;
  return {
    address: '10.0.0.1',
    ports,
    labels: { app: service },
    zone: '',
    weight: 1,
    ttlMs: 2_000,
    status: 'up',
  };
}

class Scenario {
  readonly clock = new ManualClock();
  readonly store: Store = new MemoryStore({ clock: this.clock, epoch: 'e', logLength: 1_000 });
  readonly picture = new Picture(this.clock);
  readonly changes: ServiceChange[] = [];
  #serial = 0;

  async begin(): Promise<void> {
    await this.store.expire({ floor: 0 });
    this.picture.replace(new Roll(await this.store.snapshot(), 0));
  }

  async take({ do: what, service, id }: Step): Promise<void> {
    const { store } = this;
    const instanceKey: InstanceKey = `default/${service}/${id}`;
    const write = { instanceKey, lease: undefined, floor: 0 };
    const key = overrideKeyOf(instanceKey);
    if (what === 'grant') {
      const lease = makeLeaseId(0, 2_000, (this.#serial++).toString(16).padStart(32, '0'));
      await store.grant({
        ...write,
        lease,
        nonce: '',
        takeover: false,
        body: bodyOf(service),
        maxInstances: 9,
      });
    } else if (what === 'revoke') await store.revoke(write);
    else if (what === 'drain') await store.update({ ...write, patch: { status: 'draining' } });
    else if (what === 'weigh') await store.update({ ...write, patch: { weight: this.#serial++ } });
    else if (what === 'override') {
      const value = JSON.stringify({ status: 'down', author: 'x', reason: 'y' });
      await store.put({ items: [{ key, value, forMs: 1_500, why: 'overridden' }], floor: 0 });
    } else if (what === 'lift') await store.remove({ key, floor: 0 });
    else {
      this.clock.advance(1_000);
      await store.expire({ floor: 0 });
    }
  }

  async follow(): Promise<void> {
    const { upTo } = await this.store.snapshot();
    if (upTo === this.picture.revision) return;
    const { entries } = await this.store.follow(this.picture.revision, NEVER);
    this.changes.push(...this.picture.apply(entries));
  }
}

/** What a watcher that began with nothing, or with this, holds after a number of changes. */
function replayed(
  changes: readonly ServiceChange[],
  service: string,
  start: readonly Endpoint[] = [],
): Endpoint[] {
  const held = new Map(start.map((endpoint) => [endpoint.id, endpoint]));
  for (const change of changes.filter((one) => one.service === service)) {
    for (const id of change.removes) held.delete(id);
    for (const endpoint of change.upserts) held.set(endpoint.id, endpoint);
  }
  return [...held.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

test('G3, G4: whatever happens, the log followed, the changes replayed and the store read anew are the same picture', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const scenario = new Scenario();
      await scenario.begin();
      for (const one of steps) {
        await scenario.take(one);
        if (one.isFollowed) await scenario.follow();
      }
      await scenario.follow();
      const fresh = new Picture(scenario.clock);
      fresh.replace(new Roll(await scenario.store.snapshot(), 0));
      for (const service of SERVICES) {
        const followed = scenario.picture.service('default', service)?.endpoints ?? [];
        expect(followed).toEqual(fresh.service('default', service)?.endpoints ?? []);
        expect(replayed(scenario.changes, service)).toEqual(followed);
      }
      const revisions = scenario.changes.map(({ revision }) => revision);
      expect(new Set(revisions).size).toBe(revisions.length);
      expect(revisions.toSorted((a, b) => a - b)).toEqual(revisions);
    }),
    { numRuns: 300 },
  );
});

test('G3, G4: who saw every entry goes on with a server that read many at once, or the whole roll anew', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const scenario = new Scenario();
      await scenario.begin();
      const { revision: from } = scenario.picture;
      const slow = new Picture(scenario.clock);
      slow.replace(new Roll(await scenario.store.snapshot(), 0));
      for (const one of steps) await scenario.take(one);
      const { upTo } = await scenario.store.snapshot();
      if (upTo === from) return;
      const { entries } = await scenario.store.follow(from, NEVER);
      const changes = slow.apply(entries);
      const alone: ServiceChange[] = [];
      const relisted = new Picture(scenario.clock);
      relisted.replace(new Roll(await scenario.store.snapshot(), 0));
      for (let count = 0; count <= entries.length; count++) {
        const seen = scenario.picture;
        for (const service of SERVICES) {
          const { endpoints = [], revision = 0 } = seen.service('default', service) ?? {};
          const missed = changes.filter((change) => change.revision > seen.revision);
          const now = slow.service('default', service);
          expect(replayed(missed, service, endpoints)).toEqual(now?.endpoints ?? []);
          // A snapshot with an older revision would be left aside as one of the past.
          const shown = relisted.service('default', service) ?? now;
          if (shown !== undefined) expect(shown.revision).toBeGreaterThanOrEqual(revision);
        }
        alone.push(...seen.apply(entries.slice(count, count + 1)));
      }
      // A stream of the slow server that breaks after any change is resumed at the other one.
      for (let cut = 0; cut <= changes.length; cut++) {
        const sent = changes.slice(0, cut);
        const since = sent.at(-1)?.resumeAfter ?? from;
        const rest = alone.filter(({ revision }) => revision > since);
        for (const service of SERVICES) {
          const { endpoints = [] } = slow.service('default', service) ?? {};
          expect(replayed([...sent, ...rest], service)).toEqual(endpoints);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('G4: a roll that was read anew is newer than what a client saw of it in between', async () => {
  const scenario = new Scenario();
  await scenario.begin();
  const one = { service: 'one', id: 'a', isFollowed: true } as const;
  await scenario.take({ ...one, do: 'grant' });
  await scenario.follow();
  const before = scenario.picture.service('default', 'one');
  await scenario.take({ ...one, do: 'override' });
  await scenario.take({ ...one, do: 'lift' });
  expect(scenario.picture.replace(new Roll(await scenario.store.snapshot(), 0))).toEqual([]);
  const after = scenario.picture.service('default', 'one');
  expect(after?.endpoints).toEqual(before?.endpoints);
  expect(after?.revision).toBe(scenario.picture.revision);
});
