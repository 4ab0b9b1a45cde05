import { expect, test } from 'vitest';
import { FakeSendQueues } from '../testing/fake-send-queues.ts';
import { ManualClock } from '@rollcall/runtime/testing';
import { QueueWatch } from './queue-watch.ts';
import type { Connection } from './transport.ts';

function suspect(remotePort: number, seen: string[]) {
  return {
    connection: { remotePort } as Connection,
    onSendQueue: (length: number) => void seen.push(`${remotePort} ${length}`),
  };
}

test('looks once for all that are due, and not again for a while', async () => {
  const runtime = new ManualClock();
  const queues = new FakeSendQueues();
  queues.lengthOf = ({ remotePort }) => remotePort * 10;
  const watch = new QueueWatch(queues, runtime, { boundMs: 30_000, lookMs: 10_000 });
  const seen: string[] = [];
  watch.look();
  expect(queues.looks).toBe(0);
  for (const port of [1, 2, 3]) watch.add(suspect(port, seen));
  watch.look();
  await new Promise(setImmediate);
  expect(seen).toEqual(['1 10', '2 20', '3 30']);
  watch.add(suspect(4, seen));
  watch.look();
  await new Promise(setImmediate);
  expect(queues.looks).toBe(1);
  runtime.advance(1_000);
  watch.look();
  await new Promise(setImmediate);
  expect(queues.looks).toBe(2);
  expect(seen.at(-1)).toBe('4 40');
});
