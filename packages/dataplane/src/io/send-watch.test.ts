import { expect, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { FakeSendQueues } from '../testing/fake-send-queues.ts';
import { QueueWatch } from './queue-watch.ts';
import { SendWatch } from './send-watch.ts';
import type { Connection } from './transport.ts';

test('whoever follows learns when the peer has everything, also after a write that had to wait', async () => {
  const clock = new ManualClock();
  const queues = new FakeSendQueues();
  const queueWatch = new QueueWatch(queues, clock, { boundMs: 30_000, lookMs: 10_000 });
  const seen: string[] = [];
  const watch = new SendWatch({} as Connection, queueWatch, {
    onPeerTaking: () => void seen.push('taking'),
    onPeerHasAll: () => void seen.push('has all'),
    onPeerStalled: () => void seen.push('stalled'),
  });
  const pass = async () => {
    clock.advance(10_000);
    watch.checkDeadlines(clock.monotonicMs());
    queueWatch.look();
    await new Promise(setImmediate);
  };
  let length = 9_000;
  queues.lengthOf = () => length;
  watch.block();
  watch.follow();
  // The system has taken the rest, the peer has not.
  watch.unblock();
  await pass();
  length = 4_000;
  await pass();
  expect(seen).toEqual(['taking']);
  length = 0;
  await pass();
  expect(seen).toEqual(['taking', 'has all']);
  watch.block();
  watch.unblock();
  length = 9_000;
  for (let look = 0; look < 10; look++) await pass();
  expect(seen).toEqual(['taking', 'has all']);
});
