import type { Endpoint, InstanceKey } from '@rollcall/contract';
import { expect, test } from 'vitest';
import type { ServiceChange } from '../picture/service-change.ts';
import type { LogEntry } from '../store/log-entry.ts';
import type { InstanceRecord } from '../store/record.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Subscriber } from './subscriber.ts';
import type { EventStream } from './stream.ts';

const watcher = (service: string) =>
  new Subscriber(
    {} as EventStream,
    { id: service, owner: undefined, acknowledges: true },
    { namespace: 'default', services: [service] },
    { revision: 0, place: 0 },
  );

const record = (service: string, revision: number) =>
  ({
    namespace: 'default',
    service,
    id: 'a',
    revision,
    body: { status: 'draining', address: `address of ${service}` },
  }) as unknown as InstanceRecord;

const entry = (one: InstanceRecord) =>
  ({ op: 'set', revision: one.revision, record: one }) as unknown as LogEntry;

const change = (one: InstanceRecord): ServiceChange => ({
  namespace: 'default',
  service: one.service,
  revision: one.revision,
  resumeAfter: one.revision,
  upserts: [{ instance: 'a', state: 'draining', address: one.body.address } as Endpoint],
  removes: [],
});

function tracked(...watchers: Subscriber[]) {
  const seen: InstanceKey[] = [];
  const acks = new Acknowledgements({
    subscribersOf: ({ namespace, service }) =>
      watchers.filter((one) => one.wants(namespace, service)),
    onSeen: (key) => void seen.push(key),
  });
  return { acks, seen };
}

test('a drain that is held back is not seen by who acknowledges a later one', () => {
  const both = new Subscriber(
    {} as EventStream,
    { id: 'both', owner: undefined, acknowledges: true },
    { namespace: 'default', services: undefined },
    { revision: 0, place: 0 },
  );
  const { acks, seen } = tracked(both);
  const [held, later] = [record('held', 100), record('later', 101)];
  acks.publish([entry(held)], [change(held)]);
  acks.publish([entry(later)], [change(later)]);
  acks.sent(change(later), [both]);
  acks.acknowledged(both, 101);
  expect(seen).toEqual(['default/later/a']);
  acks.sent({ ...change(held), revision: 102 }, [both]);
  acks.acknowledged(both, 101);
  expect(seen).toEqual(['default/later/a']);
  acks.acknowledged(both, 102);
  expect(seen).toEqual(['default/later/a', 'default/held/a']);
});

test('when the roll is read again, who waits goes on waiting for the drain that is there now', () => {
  const one = watcher('orders');
  const { acks, seen } = tracked(one);
  const [before, now] = [record('orders', 10), record('orders', 30)];
  acks.publish([entry(before)], [change(before)]);
  const sights: boolean[] = [];
  acks.onChange('default/orders/a', () => sights.push(acks.sight('default/orders/a', []).isSeen));
  acks.relisted([now], [change(now)]);
  acks.acknowledged(one, 10);
  expect([sights, seen]).toEqual([[], []]);
  acks.acknowledged(one, 30);
  expect([sights, seen]).toEqual([[true], ['default/orders/a']]);
  acks.relisted([], []);
  expect(acks.sight('default/orders/a', ['another'])).toMatchObject({ isSeen: true });
});

test('a server that starts while an instance drains waits for those that were there', () => {
  const { acks, seen } = tracked();
  acks.relisted([record('orders', 10)], [change(record('orders', 10))]);
  expect(seen).toEqual(['default/orders/a']);
  expect(acks.sight('default/orders/a', ['other'])).toEqual({
    isSeen: false,
    watchers: 0,
    servers: 1,
  });
  acks.reported({ instance: 'default/orders/a', server: 'other', revision: 10 });
  expect(acks.sight('default/orders/a', ['other'])).toMatchObject({ isSeen: true });
});
