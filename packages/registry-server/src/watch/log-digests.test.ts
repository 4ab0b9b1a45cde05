import { expect, test } from 'vitest';
import type { Endpoint } from '@rollcall/contract';
import type { ServiceChange } from '../picture/picture.ts';
import type { Frame } from './frame.ts';
import { framesOf, idOf, sentChangeOf } from './history.ts';
import { LogDigests } from './log-digests.ts';

function pastOf(...entries: readonly (readonly [number, string])[]): LogDigests {
  const past = new LogDigests(100);
  past.restartAt(10, 'm10', false);
  for (const [revision, digest] of entries) past.add(revision, digest);
  return past;
}

test('a revision has the digest of the last entry up to it', () => {
  const past = pastOf([20, 'm20'], [30, 'm30']);
  expect([9, 10, 25, 30, 99].map((revision) => past.digestAt(revision))).toEqual([
    undefined,
    'm10',
    'm20',
    'm30',
    'm30',
  ]);
});

test('a position whose digest is another one is of a lost past; one without a digest is believed', () => {
  const past = pastOf([20, 'm20'], [30, 'm30']);
  expect(past.isLost({ revision: 20, digest: 'm20' })).toBe(false);
  expect(past.isLost({ revision: 20, digest: 'other' })).toBe(true);
  expect(past.isLost({ revision: 25, digest: 'm25' })).toBe(true);
  expect(past.isLost({ revision: 20, digest: undefined })).toBe(false);
});

test('what lies before all that is known may be of a lost past only when one was lost', () => {
  const past = pastOf([20, 'm20']);
  expect(past.isLost({ revision: 5, digest: 'm5' })).toBe(false);
  past.restartAt(40, 'm40', true);
  expect(past.isLost({ revision: 20, digest: 'm20' })).toBe(true);
  expect(past.isLost({ revision: 40, digest: 'm40' })).toBe(false);
});

test('only the last entries are kept', () => {
  const past = new LogDigests(10);
  past.restartAt(0, 'm0', false);
  for (let revision = 1; revision <= 1_000; revision++) past.add(revision, `m${revision}`);
  expect(past.digestAt(1_000)).toBe('m1000');
  expect(past.digestAt(900)).toBeUndefined();
});

const endpoint = (id: string, weight = 1) => ({ id, weight }) as unknown as Endpoint;
const changeOf = (revision: number, over: Partial<ServiceChange> = {}): ServiceChange => ({
  namespace: 'default',
  service: 'orders',
  revision,
  resumeAfter: revision,
  upserts: [],
  removes: [],
  ...over,
});
const textOf = ({ chunk, from, to }: Frame) => chunk.subarray(from, to).toString();

test('what is resumed from names the past that it is of', () => {
  const { frame } = sentChangeOf(changeOf(20), 'abcdef');
  expect(textOf(frame)).toMatch(/^id: 20-abcdef\nevent: change\n/);
  expect(idOf(20, undefined)).toBe('20');
});

test('G3: who resumes is shown of each service what its changes come to, and nothing that was undone since', () => {
  const came = changeOf(6, { upserts: [endpoint('a'), endpoint('b')] });
  const left = changeOf(9, { upserts: [endpoint('b', 2)], removes: ['a'] });
  const other = changeOf(7, { service: 'calm', upserts: [endpoint('c')] });
  const frames = framesOf([came, other, left].map((change) => sentChangeOf(change, 'aa')));
  const [first = '', second = ''] = frames.map(textOf);
  expect(frames).toHaveLength(2);
  // No id: behind it the service between the two is still to come.
  expect(first).toMatch(/^event: change\n/);
  expect(JSON.parse(first.slice(first.indexOf('{')))).toEqual({
    namespace: 'default',
    service: 'orders',
    revision: '9',
    first: '6',
    upserts: [{ id: 'b', weight: 2 }],
    removes: ['a'],
  });
  expect(second).toMatch(/^id: 7-aa\nevent: change\n/);
});
