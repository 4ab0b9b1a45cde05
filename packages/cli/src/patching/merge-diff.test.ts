import { patched } from '@rollcall/manifests';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeDiff } from './merge-diff.ts';

test('names what was changed, added and removed, and nothing else', () => {
  const before = { a: 1, b: { c: [1, 2], d: 'x' }, e: { f: 1 } };
  const after = { a: 1, b: { c: [1], d: 'x', g: 2 }, h: null };
  expect(mergeDiff(before, after)).toEqual({ b: { c: [1], g: 2 }, e: null, h: null });
  expect(mergeDiff(before, before)).toEqual({});
});

test('what it gives makes the one of the other', () => {
  // A merge patch cannot set null, and manifests mean the same by it as by nothing.
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer()), tie('mapping')),
    mapping: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('json')),
  }));
  const mapping = fc.dictionary(fc.constantFrom('a', 'b', 'c'), json);
  fc.assert(
    fc.property(mapping, mapping, (before, after) => {
      expect(patched(before, mergeDiff(before, after))).toEqual(after);
    }),
  );
});
