import type { ExchangeRecord } from '@rollcall/dataplane';
import { systemClock } from '@rollcall/runtime';
import { expect, test } from 'vitest';
import { AccessLog } from './access-log.ts';

function recordOf(path: string): ExchangeRecord {
  return {
    method: 'GET',
    host: 'shop.example',
    target: path,
    path,
    clientAddress: '192.0.2.7',
    status: 200,
    reason: '',
    detail: '',
    rule: 'canary',
    group: 'shop',
    finalTarget: undefined,
    attempts: 1,
    requestBytes: 40,
    responseBytes: 1_100,
    responseHeadBytes: 100,
    requestId: '',
    keptFields: [],
    minorVersion: 1,
    durationMs: 1.0457,
  };
}

function open() {
  const written: Uint8Array[] = [];
  const state = { backlogBytes: 0 };
  const sink = {
    write: (bytes: Uint8Array) => void written.push(bytes),
    backlogBytes: () => state.backlogBytes,
    close: async () => {},
  };
  const lines = () =>
    Buffer.concat(written)
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    log: new AccessLog(sink, { clock: systemClock, random: () => 0.5 }),
    written,
    state,
    lines,
  };
}

test('lines are complete and in order, however they fall into batches', async () => {
  const { log, written, lines } = open();
  const paths = Array.from({ length: 2_000 }, (_, i) => `/${i}/${'é'.repeat(i % 40)}`);
  for (const path of paths) log.add(recordOf(path));
  expect(written.length).toBeGreaterThan(4);
  const early = Buffer.concat(written).toString();
  await log.close();
  expect(lines().map(({ path }) => path)).toEqual(paths);
  // What was written is not written over by what follows.
  expect(Buffer.concat(written).toString().startsWith(early)).toBe(true);
});

test('few lines, again and again', () => {
  const { log, written, lines } = open();
  for (const path of ['/a', '/b', '/c']) {
    log.add(recordOf(path));
    log.flush();
    log.flush();
  }
  expect(written).toHaveLength(3);
  expect(lines().map(({ path }) => path)).toEqual(['/a', '/b', '/c']);
  expect(lines()[0]).toMatchObject({ durationMs: 1.046, target: '', address: '', status: 200 });
});

test('a line that is longer than a batch', async () => {
  const { log, lines } = open();
  const paths = ['/a', `/${'x'.repeat(70_000)}`, '/b'];
  for (const path of paths) log.add(recordOf(path));
  await log.close();
  expect(lines().map(({ path }) => path)).toEqual(paths);
});

test('a sink that is too slow loses lines, which are counted', () => {
  const { log, state, written } = open();
  state.backlogBytes = 20_000_000;
  for (let i = 0; i < 3; i++) log.add(recordOf('/a'));
  log.flush();
  expect(log.dropped).toBe(3);
  expect(written).toHaveLength(0);
});
