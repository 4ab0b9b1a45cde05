import { expect, test } from 'vitest';
import { Past } from './past.ts';

function pastOf(...entries: readonly (readonly [number, string])[]): Past {
  const past = new Past(100);
  past.begin(10, 'm10', false);
  for (const [revision, mark] of entries) past.add(revision, mark);
  return past;
}

test('a revision has the digest of the last entry up to it', () => {
  const past = pastOf([20, 'm20'], [30, 'm30']);
  expect([9, 10, 25, 30, 99].map((revision) => past.markAt(revision))).toEqual([
    undefined,
    'm10',
    'm20',
    'm30',
    'm30',
  ]);
});

test('a position whose digest is another one is of a lost past; one without a digest is believed', () => {
  const past = pastOf([20, 'm20'], [30, 'm30']);
  expect(past.isLost({ revision: 20, mark: 'm20' })).toBe(false);
  expect(past.isLost({ revision: 20, mark: 'other' })).toBe(true);
  expect(past.isLost({ revision: 25, mark: 'm25' })).toBe(true);
  expect(past.isLost({ revision: 20, mark: undefined })).toBe(false);
});

test('what lies before all that is known may be of a lost past only when one was lost', () => {
  const past = pastOf([20, 'm20']);
  expect(past.isLost({ revision: 5, mark: 'm5' })).toBe(false);
  past.begin(40, 'm40', true);
  expect(past.isLost({ revision: 20, mark: 'm20' })).toBe(true);
  expect(past.isLost({ revision: 40, mark: 'm40' })).toBe(false);
});

test('only the last entries are kept', () => {
  const past = new Past(10);
  past.begin(0, 'm0', false);
  for (let revision = 1; revision <= 1_000; revision++) past.add(revision, `m${revision}`);
  expect(past.markAt(1_000)).toBe('m1000');
  expect(past.markAt(900)).toBeUndefined();
});
