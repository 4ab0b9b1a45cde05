import type { InstanceKey } from '@rollcall/contract';
import { Supervisor } from '@rollcall/daemon';
import { until } from '@rollcall/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '@rollcall/runtime';
import { makeLeaseId } from '../store/lease-id.ts';
import type { LogPage } from '../store/log-entry.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import type { InstanceBody } from '../store/record.ts';
import { type Store, StoreUnavailableError } from '../store/store.ts';
import { Follower } from './follower.ts';
import { Picture, type ServiceChange } from './picture.ts';
import { Roll } from './roll.ts';

type Bend = (page: LogPage, after: number) => LogPage | Promise<LogPage>;

const BODY: InstanceBody = {
  address: '10.0.0.1',
  ports: { http: { port: 80, protocol: 'TCP' } },
  labels: {},
  zone: '',
  weight: 1,
  ttlMs: 60_000,
  status: 'up',
};

let store: MemoryStore;
let picture: Picture;
let changes: ServiceChange[];
let relists: number;
let bend: Bend;
let stop: AbortController;
let running: Promise<void>;
let serial = 0;
let faults: unknown[];

beforeEach(async () => {
  store = new MemoryStore({ clock: systemClock, epoch: 'e', logLength: 50 });
  picture = new Picture(systemClock);
  changes = [];
  relists = 0;
  bend = (page) => page;
  stop = new AbortController();
  // The store with a log that is not what it was when it arrives.
  const disorderly = new Proxy<Store>(store, {
    get(target, name) {
      if (name === 'follow') {
        return async (after: number, signal: AbortSignal) =>
          bend(await target.follow(after, signal), after);
      }
      const own: unknown = Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
  faults = [];
  const supervisor = new Supervisor({
    clock: systemClock,
    isExpected: (error) => error instanceof StoreUnavailableError,
    onFault: (_, error) => faults.push(error),
  });
  const follower = new Follower(
    { store: disorderly, picture, clock: systemClock, supervisor },
    {
      applied: (_, given) => changes.push(...given),
      relisted(given) {
        relists++;
        changes.push(...given);
      },
      loaded() {},
      reachable() {},
      unreadable() {},
      restored() {
        throw new Error('nothing was lost');
      },
    },
  );
  running = follower.run(stop.signal);
  await until(() => picture.isLoaded);
});
afterEach(async () => {
  stop.abort();
  await store.close();
  await running;
});

async function write(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const number = serial++;
    const id = `i${number % 7}`;
    const instanceKey: InstanceKey = `default/orders/${id}`;
    if (number % 5 === 4) await store.revoke({ instanceKey, lease: undefined, floor: 0 });
    else {
      const lease = makeLeaseId(0, 60_000, number.toString(16).padStart(32, '0'));
      const body = { ...BODY, weight: 1 + (number % 90) };
      await store.grant({
        instanceKey,
        lease,
        nonce: `process-${number}`,
        takeover: true,
        body,
        maxInstances: 100,
        floor: 0,
      });
    }
  }
}

/** The picture is that of the store, and what was published on the way rose without a step back. */
async function inStep(): Promise<void> {
  const { upTo } = await store.snapshot();
  await until(() => picture.revision === upTo);
  const fresh = new Picture(systemClock);
  fresh.replace(new Roll(await store.snapshot(), 0));
  const shown = (one: Picture) => [...(one.service('default', 'orders')?.endpoints ?? [])];
  expect(shown(picture)).toEqual(shown(fresh));
  const revisions = changes.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
}

describe('G3, G4: whatever happens to the log on the way, the picture ends up as the store is, and never goes back', () => {
  test('pages that come twice', async () => {
    let last: LogPage | undefined;
    bend = (page) => {
      const given = last ?? page;
      last = last === undefined && page.entries.length > 0 ? page : undefined;
      return given;
    };
    for (let i = 0; i < 10; i++) await write(3);
    await until(() => relists > 2);
    bend = (page) => page;
    await inStep();
  });

  test('entries that come twice within a page, in another order, or not at all', async () => {
    let bent = 0;
    const bends: Bend[] = [
      (page) => ({ ...page, entries: page.entries.flatMap((entry) => [entry, entry]) }),
      (page) => ({ ...page, entries: page.entries.toReversed() }),
      (page) => ({ ...page, entries: page.entries.slice(1) }),
      (page) => ({ ...page, entries: page.entries.filter((_, i) => i !== 1) }),
    ];
    bend = (page, after) =>
      page.entries.length < 2 ? page : (bends[bent++ % bends.length] as Bend)(page, after);
    await until(
      async () => {
        // Several in one turn, so that they are one page.
        await Promise.all([write(1), write(1), write(1)]);
        await new Promise(setImmediate);
        return bent >= 8;
      },
      { what: 'pages of several entries' },
    );
    bend = (page) => page;
    await inStep();
    expect(relists).toBeGreaterThan(1);
  });

  test('pages that come late', async () => {
    bend = async (page) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return page;
    };
    for (let i = 0; i < 10; i++) await write(3);
    await inStep();
  });

  test('a log that was trimmed while the store was out of reach', async () => {
    let isAway = true;
    bend = (page) => {
      if (isAway) throw new StoreUnavailableError('away');
      return page;
    };
    await write(300);
    const before = relists;
    isAway = false;
    await inStep();
    expect(relists).toBeGreaterThan(before);
  });
});

test.each([
  ['after it was given back what it forgot', 'restore'],
  ['after it was seen to have it', 'continuity'],
])(
  'G5: a store that forgets right %s is given it again, and nothing smaller is shown',
  async (_when, call) => {
    const clock = systemClock;
    let epochs = 0;
    const fresh = () => new MemoryStore({ clock, epoch: `forgets-${epochs++}`, logLength: 1_000 });
    let current = fresh();
    let toForget = 0;
    const forgetful = new Proxy<Store>(current, {
      get(_target, name) {
        return async (...args: unknown[]) => {
          const method = Reflect.get(current, name) as (...given: unknown[]) => Promise<unknown>;
          const reply = await method.apply(current, args);
          if (name === call && toForget-- > 0) current = fresh();
          return reply;
        };
      },
    });
    const own = new Picture(clock);
    const sizes: number[] = [];
    const end = new AbortController();
    const supervisor = new Supervisor({ clock, isExpected: () => true, onFault: () => {} });
    const follower = new Follower(
      { store: forgetful, picture: own, clock, supervisor },
      {
        applied() {},
        relisted: () => sizes.push(own.instancesOf('default', 'orders').size),
        loaded() {},
        reachable() {},
        unreadable() {},
        restored() {},
      },
    );
    const following = follower.run(end.signal);
    await until(() => own.isLoaded);
    for (let i = 0; i < 300; i++) {
      await forgetful.grant({
        instanceKey: `default/orders/i${i}`,
        lease: makeLeaseId(0, 60_000, String(i).padStart(32, '0')),
        nonce: '',
        takeover: false,
        body: BODY,
        maxInstances: 1_000,
        floor: own.revision,
      });
    }
    await until(() => own.instancesOf('default', 'orders').size === 300);
    sizes.length = 0;
    toForget = 4;
    current = fresh();
    await until(() => toForget < 0);
    await until(() => sizes.length > 0);
    expect(sizes).toEqual([300]);
    end.abort();
    await following;
  },
);
