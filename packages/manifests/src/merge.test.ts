import { expect, test } from 'vitest';
import { applied, patched } from './merge.ts';

test('what the manifest no longer says goes, what others set stays', () => {
  const last = { labels: { app: 'a', old: 'x' }, ports: [1] };
  const live = { labels: { app: 'a', old: 'x', team: 'b' }, ports: [1], given: 'by the server' };
  const next = { labels: { app: 'c' }, ports: [2, 3] };
  expect(applied(last, live, next)).toEqual({
    labels: { app: 'c', team: 'b' },
    ports: [2, 3],
    given: 'by the server',
  });
});

test('an object that was never applied keeps what the manifest does not name', () => {
  expect(applied(undefined, { a: 1, b: { c: 2 } }, { b: { d: 3 } })).toEqual({
    a: 1,
    b: { c: 2, d: 3 },
  });
});

test('a list with the name of an inherited property is a list like others', () => {
  const live = JSON.parse('{"constructor": [1]}') as object;
  const next = JSON.parse('{"constructor": [2]}') as object;
  expect(applied(undefined, live, next)).toEqual(next);
});

// Cases of RFC 7396, appendix A.
test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j patched by %j is %j', (target, patch, result) => {
  expect(patched(target, patch)).toEqual(result);
});
