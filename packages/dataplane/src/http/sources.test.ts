import { expect, test } from 'vitest';
import { Sources, sourceOf } from './sources.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0000:0000::2', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['1:2:3:4::', '1:2:3:4::/64'],
  ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
])('%s is one of %s', (address, source) => {
  expect(sourceOf(address)).toBe(source);
});

const NONE = { sourceConnections: 0, sourceRequestsPerSecond: 0, sourceBytesPerSecond: 0 };

test('without a limit nobody is counted', () => {
  expect(Sources.within(NONE)).toBeUndefined();
});

test('a source that is as if it had never been seen is forgotten', () => {
  const sources = Sources.within({ ...NONE, sourceRequestsPerSecond: 10 })!;
  const source = sources.enter('192.0.2.7', 0);
  for (let i = 0; i < 20; i++) expect(source.takeRequest(0)).toBe(true);
  expect(source.takeRequest(0)).toBe(false);
  sources.leave(source);
  sources.sweep(100);
  expect(sources.enter('192.0.2.7', 100)).toBe(source);
  sources.leave(source);
  sources.sweep(3_000);
  expect(sources.enter('192.0.2.7', 3_000)).not.toBe(source);
});

test('bytes are owed, and paid by time', () => {
  const sources = Sources.within({ ...NONE, sourceBytesPerSecond: 1_000 })!;
  const source = sources.enter('192.0.2.7', 0);
  source.takeBytes(3_000);
  expect(source.isInDebt(0)).toBe(true);
  expect(source.isInDebt(1_900)).toBe(true);
  expect(source.isInDebt(2_100)).toBe(false);
});

test('bytes that are not limited are not owed', () => {
  const sources = Sources.within({ ...NONE, sourceConnections: 1 })!;
  const source = sources.enter('192.0.2.7', 0);
  source.takeBytes(1e9);
  expect(source.isInDebt(0)).toBe(false);
  sources.leave(source);
  sources.sweep(0);
  expect(sources.enter('192.0.2.7', 0)).not.toBe(source);
});
