import type { Endpoint } from '@rollcall/contract';
import { expect, test } from 'vitest';
import type { ServiceChange } from '../picture/picture.ts';
import { ManualClock } from '@rollcall/runtime/testing';
import { ChangeDamper } from './damper.ts';

const HOLD_MS = 1_000;

function endpoint(id: string, isUp: boolean, weight = 1): Endpoint {
  const state = isUp ? 'up' : 'down';
  const conditions = { ready: isUp, serving: isUp, terminating: false, tier: isUp ? 0 : null };
  return { id, instance: id, weight, state, ...conditions } as Endpoint;
}

/** A damper over a clock that stands still, what it sent, and how watchers see each service for it. */
function damped() {
  const clock = new ManualClock();
  const sent: { atMs: number; change: ServiceChange }[] = [];
  const seen = new Map<string, Map<string, Endpoint>>();
  const publish = (changes: readonly ServiceChange[]) => {
    for (const change of changes) {
      sent.push({ atMs: clock.monotonicMs(), change });
      const endpoints = seen.get(change.service) ?? new Map<string, Endpoint>();
      for (const id of change.removes) endpoints.delete(id);
      for (const one of change.upserts) endpoints.set(one.id, one);
      seen.set(change.service, endpoints);
    }
  };
  const damper = new ChangeDamper(clock, HOLD_MS, publish);
  let revision = 0;
  const change = (service: string, upserts: Endpoint[], removes: string[] = []) => {
    revision++;
    const namespace = 'default';
    const one = { namespace, service, revision, resumeAfter: revision, upserts, removes };
    publish(damper.admit([one]));
    return revision;
  };
  const of = (service: string) => sent.filter((one) => one.change.service === service);
  return { clock, damper, change, sent, seen, of };
}

/** Uses up what may go out at once; the endpoint is up after it. */
function burst({ change }: ReturnType<typeof damped>, service: string, id: string): void {
  for (let weight = 1; weight <= 10; weight++) change(service, [endpoint(id, true, weight)]);
}

test('a few changes go out at once', () => {
  const all = damped();
  burst(all, 'orders', 'a');
  expect(all.sent).toHaveLength(10);
});

test('then the latest state, after the holding time', () => {
  const all = damped();
  burst(all, 'orders', 'a');
  for (let weight = 30; weight <= 40; weight++) all.change('orders', [endpoint('a', true, weight)]);
  expect(all.sent).toHaveLength(10);
  all.clock.advance(HOLD_MS - 1);
  expect(all.sent).toHaveLength(10);
  all.clock.advance(1);
  expect(all.sent).toHaveLength(11);
  expect(all.sent[10]?.change).toMatchObject({ revision: 21, upserts: [{ weight: 40 }] });
  expect(all.damper.totals.coalesced).toBe(10);
  expect(all.damper.size).toBe(0);
});

test('bad news come ten times sooner: not ready, tier 1, gone', () => {
  const suspect = { ...endpoint('a', true), tier: 1 } as Endpoint;
  for (const [upserts, removes] of [
    [[endpoint('a', false)], []],
    [[suspect], []],
    [[], ['a']],
  ] as const) {
    const all = damped();
    burst(all, 'orders', 'a');
    all.change('orders', [...upserts], [...removes]);
    all.clock.advance(HOLD_MS / 10 - 1);
    expect(all.sent).toHaveLength(10);
    all.clock.advance(1);
    expect(all.sent).toHaveLength(11);
    expect(all.sent[10]?.change).toMatchObject({ upserts, removes });
  }
});

test('what is held of a service goes along with the next change that is not, so its revisions increase', () => {
  const all = damped();
  burst(all, 'orders', 'a');
  all.change('orders', [endpoint('a', false)]);
  const revision = all.change('orders', [endpoint('b', true)]);
  expect(all.sent[10]?.change).toMatchObject({ revision, upserts: [{ id: 'a' }, { id: 'b' }] });
  all.clock.advance(10 * HOLD_MS);
  expect(all.sent).toHaveLength(11);
});

test('while something is held nobody may resume from beyond it', () => {
  const all = damped();
  burst(all, 'orders', 'a');
  expect(all.damper.settledRevision).toBe(Infinity);
  const first = all.change('orders', [endpoint('a', false)]);
  all.change('orders', [endpoint('a', true)]);
  expect(all.damper.settledRevision).toBe(first - 1);
  all.change('payments', [endpoint('p', true)]);
  expect(all.of('payments')[0]?.change.resumeAfter).toBe(first - 1);
  all.clock.advance(HOLD_MS);
  expect(all.damper.settledRevision).toBe(Infinity);
  const revision = all.change('payments', [endpoint('q', true)]);
  expect(all.of('payments')[1]?.change.resumeAfter).toBe(revision);
});

test('a state that watchers know already is sent all the same, for those who came meanwhile, but not soon', () => {
  const all = damped();
  burst(all, 'orders', 'a');
  all.clock.advance(HOLD_MS / 2);
  all.change('orders', [], ['a']);
  all.change('orders', [endpoint('a', true)]);
  const revision = all.change('orders', [], ['a']);
  expect(all.of('orders')[10]?.change).toMatchObject({ removes: ['a'] });
  all.clock.advance(HOLD_MS - 1);
  expect(all.sent).toHaveLength(11);
  all.clock.advance(1);
  expect(all.sent).toHaveLength(12);
  expect(all.of('orders')[11]?.change).toMatchObject({ revision, removes: ['a'] });
  expect(all.damper.totals.coalesced).toBe(1);
});

test('G7: at 100 changes a second watchers hear a few, see the last state, and others are not delayed', () => {
  const all = damped();
  const delays: number[] = [];
  for (let i = 0; i < 1_000; i++) {
    all.change('orders', [endpoint('flapper', i % 2 === 0)]);
    if (i % 100 === 50) {
      const before = all.of('payments').length;
      all.change('payments', [endpoint(`p${i}`, true)]);
      delays.push(all.of('payments').length - before);
    }
    all.clock.advance(10);
  }
  expect(delays).toEqual(Array(10).fill(1));
  // Ten seconds: the burst of ten, what comes back of it, then one good and one bad news a second.
  expect(all.of('orders').length).toBeLessThanOrEqual(10 + 2 + 2 * 10);
  expect(all.of('orders').length).toBeGreaterThan(10);
  all.change('orders', [endpoint('flapper', true, 99)]);
  all.clock.advance(HOLD_MS);
  expect(all.seen.get('orders')?.get('flapper')).toMatchObject({ ready: true, weight: 99 });
  const revisions = all.of('orders').map(({ change }) => change.revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
  expect(new Set(revisions).size).toBe(revisions.length);
});

test('one that has been quiet may change at once again', () => {
  const all = damped();
  burst(all, 'orders', 'a');
  all.clock.advance(HOLD_MS * 60);
  burst(all, 'orders', 'a');
  expect(all.sent).toHaveLength(20);
});

test('a declaration is never held, and takes what is held with it', () => {
  const all = damped();
  burst(all, 'orders', 'a');
  all.change('orders', [], ['a']);
  const change = {
    namespace: 'default',
    service: 'orders',
    revision: 100,
    resumeAfter: 100,
    declared: null,
    upserts: [],
    removes: [],
  };
  expect(all.damper.admit([change])).toMatchObject([
    { revision: 100, declared: null, removes: ['a'] },
  ]);
});

test('everything can be taken before its time, and a holding time of 0 holds nothing', () => {
  const all = damped();
  burst(all, 'orders', 'a');
  all.change('orders', [], ['a']);
  expect(all.damper.takeAll()).toMatchObject([{ removes: ['a'] }]);
  expect(all.damper.size).toBe(0);
  const off = new ChangeDamper(all.clock, 0, () => {});
  const change = all.sent[0]!.change;
  for (let i = 0; i < 50; i++) expect(off.admit([change])).toEqual([change]);
});
