import { expect, test } from 'vitest';
import { ageOf, durationText } from './age.ts';

// The same values as `duration.HumanDuration` of Kubernetes gives.
test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [150, '2m30s'],
  [9 * 60 + 59, '9m59s'],
  [10 * 60, '10m'],
  [179 * 60, '179m'],
  [3 * 3_600, '3h'],
  [3 * 3_600 + 60, '3h1m'],
  [8 * 3_600 + 59, '8h'],
  [47 * 3_600, '47h'],
  [48 * 3_600, '2d'],
  [50 * 3_600, '2d2h'],
  [8 * 86_400, '8d'],
  [700 * 86_400, '700d'],
  [730 * 86_400, '2y'],
  [740 * 86_400, '2y10d'],
  [8 * 365 * 86_400 + 86_400, '8y'],
])('%d s is %s', (seconds, text) => {
  expect(durationText(seconds * 1_000)).toBe(text);
});

test('a time that is yet to come is none, but for what clocks may differ', () => {
  expect(durationText(-1_999)).toBe('0s');
  expect(durationText(-2_000)).toBe('<invalid>');
  expect(ageOf('2026-01-01T00:01:00Z', Date.parse('2026-01-01T00:00:00Z'))).toBe('<invalid>');
});
