import type { DeclaredService, Endpoint, InstanceKey } from '@rollcall/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeLeaseId } from '../store/lease-id.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import type { InstanceBody } from '../store/record.ts';
import type { Store } from '../store/store.ts';
import { ManualClock } from '@rollcall/runtime/testing';
import { overrideKeyOf } from './instances/endpoints.ts';
import { Picture, type ServiceChange } from './picture.ts';
import { Roll } from './roll.ts';

const NEVER = new AbortController().signal;
const name = fc.constantFrom('one', 'two', 'three');
const labels = fc.record(
  { app: fc.constantFrom('one', 'two'), tier: fc.constantFrom('x', 'y') },
  { requiredKeys: ['app'] },
);
const port = fc.record(
  {
    name: fc.constantFrom('http', 'admin'),
    port: fc.constantFrom(80, 81),
    targetPort: fc.constantFrom('http', 'admin', 8080, 9090),
    protocol: fc.constantFrom('TCP', 'UDP'),
  },
  { requiredKeys: ['port', 'protocol'] },
);
const selector = fc.oneof(
  fc.record(
    { app: fc.constantFrom('one', 'two'), tier: fc.constantFrom('x', 'y') },
    { requiredKeys: [] },
  ),
  fc.constant(undefined),
);
const service = fc.record({
  type: fc.constantFrom('ClusterIP', 'LoadBalancer', 'ExternalName'),
  clusterIP: fc.constantFrom('None', '127.96.0.7'),
  selector,
  ports: fc.uniqueArray(port, { maxLength: 2, selector: (one) => one.name ?? '' }),
  publishNotReadyAddresses: fc.boolean(),
});
const address = fc.constantFrom('10.1.0.1', '10.1.0.2');
const subset = fc.record({
  addresses: fc.array(fc.record({ ip: address }), { maxLength: 2 }),
  notReadyAddresses: fc.array(fc.record({ ip: address }), { maxLength: 1 }),
  ports: fc.array(fc.record({ name: fc.constantFrom('', 'http'), port: fc.constantFrom(80, 81) }), {
    maxLength: 2,
  }),
});
const slice = fc.record({
  of: name,
  endpoints: fc.array(
    fc.record({
      addresses: fc.tuple(address),
      conditions: fc.record({ ready: fc.boolean(), terminating: fc.boolean() }),
    }),
    { maxLength: 2 },
  ),
  ports: fc.constantFrom([{ port: 80 }], [{ name: 'http', port: 80 }]),
});
const id = fc.constantFrom('a', 'b');
const instance = { service: name, id };

const step = fc.oneof(
  fc.record({
    do: fc.constant('grant' as const),
    ...instance,
    labels,
    address,
    number: fc.constantFrom(3_001, 8_080),
  }),
  fc.record({ do: fc.constant('update' as const), ...instance, labels }),
  fc.record({ do: fc.constantFrom('revoke', 'drain', 'override', 'lift'), ...instance }),
  fc.record({ do: fc.constant('service' as const), name, spec: service }),
  fc.record({ do: fc.constant('endpoints' as const), name, subsets: fc.array(subset) }),
  fc.record({ do: fc.constant('slice' as const), name: fc.constantFrom('s1', 's2'), slice }),
  fc.record({ do: fc.constant('report' as const), name, ip: address }),
  fc.record({
    do: fc.constant('remove' as const),
    kind: fc.constantFrom('service', 'endpoints', 'endpointslice', 'report'),
    name: fc.constantFrom('one', 'two', 'three', 's1', 's2'),
  }),
  fc.constant({ do: 'pass' as const }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
/** After each step: nothing, follow the log, or read the store anew. */
const steps = fc.array(
  fc.record({ step, next: fc.constantFrom('wait', 'follow', 'follow', 'relist') }),
  { maxLength: 60, size: 'max' },
);

function bodyOf(given: { labels: InstanceBody['labels']; address: string; number: number }) {
  const { number } = given;
  return {
    address: given.address,
    ports: {
      http: { port: number, protocol: 'TCP', containerPort: 8_080 },
      admin: { port: number + 1, protocol: number === 3_001 ? 'UDP' : 'TCP' },
    },
    labels: given.labels,
    zone: '',
    weight: 1,
    ttlMs: 2_000,
    status: 'up',
  } as const;
}

class Scenario {
  readonly clock = new ManualClock();
  readonly store: Store = new MemoryStore({ clock: this.clock, epoch: 'e', logLength: 10_000 });
  readonly picture = new Picture(this.clock);
  /** As they were sent, and since when all are known: after a relist nobody resumes from before it. */
  sent: ServiceChange[] = [];
  readonly all: ServiceChange[] = [];
  #serial = 0;

  async begin(): Promise<void> {
    await this.store.expire({ floor: 0 });
    this.picture.replace(new Roll(await this.store.snapshot(), 0));
  }

  async take(given: Step): Promise<void> {
    switch (given.do) {
      case 'grant': {
        const lease = makeLeaseId(0, 2_000, (this.#serial++).toString(16).padStart(32, '0'));
        const instanceKey: InstanceKey = `default/${given.service}/${given.id}`;
        const request = {
          instanceKey,
          lease,
          nonce: '',
          takeover: false,
          maxInstances: 9,
          floor: 0,
        };
        await this.store.grant({ ...request, body: bodyOf(given) });
        return;
      }
      case 'update': {
        const instanceKey: InstanceKey = `default/${given.service}/${given.id}`;
        const patch = { labels: { tier: null, ...given.labels } };
        await this.store.update({ instanceKey, lease: undefined, patch, floor: 0 });
        return;
      }
      case 'revoke':
      case 'drain':
      case 'override':
      case 'lift':
        return this.#instance(given);
      case 'service':
        return this.#declare('Service', given.name, { spec: given.spec });
      case 'endpoints':
        return this.#declare('Endpoints', given.name, { subsets: given.subsets });
      case 'slice': {
        const { of, ...rest } = given.slice;
        const labelled = { labels: { 'kubernetes.io/service-name': of } };
        return this.#declare(
          'EndpointSlice',
          given.name,
          { addressType: 'IPv4', ...rest },
          labelled,
        );
      }
      case 'report': {
        const value = JSON.stringify({ conditions: [], loadBalancer: [{ ip: given.ip }] });
        return this.#put(`report/default/${given.name}/r`, value, 1_500);
      }
      case 'remove': {
        const key = `${given.kind}/default/${given.name}${given.kind === 'report' ? '/r' : ''}`;
        await this.store.remove({ key, floor: 0 });
        return;
      }
      default:
        this.clock.advance(1_000);
        await this.store.expire({ floor: 0 });
    }
  }

  async follow(): Promise<void> {
    const { upTo } = await this.store.snapshot();
    if (upTo === this.picture.revision) return;
    const { entries } = await this.store.follow(this.picture.revision, NEVER);
    this.#note(this.picture.apply(entries));
  }

  async relist(): Promise<void> {
    const { upTo } = await this.store.snapshot();
    if (upTo === this.picture.revision) return;
    this.#note(this.picture.replace(new Roll(await this.store.snapshot(), 0)));
    this.sent = [];
  }

  async #instance(given: { do: string; service: string; id: string }): Promise<void> {
    const instanceKey: InstanceKey = `default/${given.service}/${given.id}`;
    const write = { instanceKey, lease: undefined, floor: 0 };
    const key = overrideKeyOf(instanceKey);
    if (given.do === 'revoke') await this.store.revoke(write);
    else if (given.do === 'drain')
      await this.store.update({ ...write, patch: { status: 'draining' } });
    else if (given.do === 'lift') await this.store.remove({ key, floor: 0 });
    else await this.#put(key, JSON.stringify({ status: 'down', author: 'x', reason: 'y' }), 1_500);
  }

  #declare(kind: string, own: string, rest: object, more: object = {}): Promise<void> {
    const metadata = { name: own, namespace: 'default', ...more };
    const value = JSON.stringify({ kind, metadata, ...rest });
    return this.#put(`${kind.toLowerCase()}/default/${own}`, value, 0);
  }

  async #put(key: string, value: string, forMs: number): Promise<void> {
    await this.store.put({ items: [{ key, value, forMs, why: 'created' }], floor: 0 });
  }

  #note(changes: readonly ServiceChange[]): void {
    this.sent.push(...changes);
    this.all.push(...changes);
  }
}

interface Held {
  readonly revision: number;
  readonly declared: DeclaredService | null;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}

/** What a client makes of changes: those that it has already count for nothing. */
function replay(changes: readonly ServiceChange[], from: ReadonlyMap<string, Held> = new Map()) {
  const held = new Map(from);
  for (const { service: own, revision, declared, upserts, removes } of changes) {
    const known = held.get(own) ?? { revision: 0, declared: null, endpoints: new Map() };
    if (revision <= known.revision) continue;
    const endpoints = new Map(known.endpoints);
    for (const gone of removes) endpoints.delete(gone);
    for (const endpoint of upserts) endpoints.set(endpoint.id, endpoint);
    held.set(own, {
      revision,
      declared: declared === undefined ? known.declared : declared,
      endpoints,
    });
  }
  return held;
}

/** Without what does not exist any more. */
function shown(held: ReadonlyMap<string, Held>): object {
  return Object.fromEntries(
    [...held]
      .filter(([, { declared, endpoints }]) => declared !== null || endpoints.size > 0)
      .map(([own, { declared, endpoints }]) => [
        own,
        { declared, endpoints: [...endpoints.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)) },
      ]),
  );
}

function pictured(picture: Picture): object {
  return Object.fromEntries(
    ['one', 'two', 'three'].flatMap((own) => {
      const known = picture.service('default', own);
      return known === undefined
        ? []
        : [[own, { declared: known.declared, endpoints: known.endpoints }]];
    }),
  );
}

test('G3, G4: with declared services too the log followed, the changes replayed and the store read anew are one picture', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const scenario = new Scenario();
      await scenario.begin();
      for (const one of given) {
        await scenario.take(one.step);
        if (one.next === 'follow') await scenario.follow();
        else if (one.next === 'relist') await scenario.relist();
      }
      await scenario.follow();
      const fresh = new Picture(scenario.clock);
      fresh.replace(new Roll(await scenario.store.snapshot(), 0));
      const followed = pictured(scenario.picture);
      expect(followed).toEqual(pictured(fresh));
      expect(shown(replay(scenario.all))).toEqual(followed);

      const last = new Map<string, number>();
      for (const { service: own, revision, declared, upserts, removes } of scenario.all) {
        expect(revision).toBeGreaterThan(last.get(own) ?? 0);
        last.set(own, revision);
        expect(upserts.length + removes.length > 0 || declared !== undefined).toBe(true);
        const both = new Set(upserts.map((endpoint) => endpoint.id));
        expect(removes.filter((gone) => both.has(gone))).toEqual([]);
      }
    }),
    { numRuns: 400 },
  );
});

test('G3: a stream that breaks after any change and resumes from its id lacks nothing', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const scenario = new Scenario();
      await scenario.begin();
      for (const one of given) {
        await scenario.take(one.step);
        if (one.next !== 'wait') await scenario.follow();
      }
      await scenario.follow();
      const followed = pictured(scenario.picture);
      for (const [i, { resumeAfter }] of scenario.sent.entries()) {
        const before = replay(scenario.sent.slice(0, i + 1));
        const missed = scenario.sent.filter(({ revision }) => revision > resumeAfter);
        expect(shown(replay(missed, before))).toEqual(followed);
      }
    }),
    { numRuns: 200 },
  );
});
