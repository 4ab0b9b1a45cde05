import { afterEach, expect, test } from 'vitest';
import { systemClock } from '@rollcall/runtime';
import { ManualClock } from '@rollcall/runtime/testing';
import { ThreadedReader } from './manifest-reader.ts';

const readers: ThreadedReader[] = [];
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close();
});
const readerOf = (clock = systemClock) => {
  const reader = new ThreadedReader(clock);
  readers.push(reader);
  return reader;
};
const services = (count: number) =>
  Array.from(
    { length: count },
    (_, i) =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: s${i}}\nspec:\n  ports: [{port: 80}]\n`,
  ).join('---\n');

test('long texts are read elsewhere: this thread goes on meanwhile', async () => {
  const reader = readerOf();
  let turns = 0;
  let isOver = false;
  const go = () => {
    turns++;
    if (!isOver) setImmediate(go);
  };
  const reading = reader.parse(services(400));
  go();
  const { manifests, faults } = await reading;
  isOver = true;
  expect(faults).toEqual([]);
  expect(manifests).toHaveLength(400);
  expect(manifests[7]?.manifest).toMatchObject({ kind: 'Service', metadata: { name: 's7' } });
  expect(manifests[7]?.locate('spec.ports')).toEqual({ line: 7 * 6 + 5, column: 3 });
  expect(turns).toBeGreaterThan(20);
});

test('several at once each get their own, in turn with short ones', async () => {
  const reader = readerOf();
  const sizes = [40, 1, 60, 2, 50];
  const files = await Promise.all(sizes.map((size) => reader.parse(services(size))));
  expect(files.flatMap(({ faults }) => faults)).toEqual([]);
  expect(files.map(({ manifests }) => manifests.length)).toEqual(sizes);
});

test('a text that takes too long is given up, and the next one is read', async () => {
  const clock = new ManualClock();
  const reader = readerOf(clock);
  const slow = reader.parse(services(400));
  const next = reader.parse(services(30));
  clock.advance(10_000);
  expect((await slow).faults).toMatchObject([{ message: expect.stringContaining('within 10 s') }]);
  expect((await next).manifests).toHaveLength(30);
});
