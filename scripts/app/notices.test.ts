import { expect, test } from 'vitest';
import type { Installed } from './installed.ts';
import { noticesOf } from './notices.ts';

const own = 'MIT License\n\nCopyright (c) 2026 Rollcall\n\nPermission is hereby granted\n';
const library: Installed = {
  name: 'a',
  version: '1.0.0',
  purl: 'pkg:npm/a@1.0.0',
  licence: 'ISC',
  author: 'Ann',
  texts: ['the terms of a'],
};

test('each library of others is named with its terms', () => {
  const ours = { ...library, name: '@rollcall/cli', texts: [] };
  const text = noticesOf([library, ours], own);
  expect(text).toContain('the work of others: 1 packages');
  expect(text).toContain('a 1.0.0 (ISC)\n\nthe terms of a\n');
  expect(text).not.toContain('@rollcall');
});

test('a library without a licence file gets the text of MIT, in the name of its author', () => {
  const text = noticesOf([{ ...library, licence: 'MIT', texts: [] }], own);
  expect(text).toContain('a 1.0.0 (MIT)\n\nMIT License\n\nCopyright (c) Ann\n\nPermission');
});

test('the terms of another licence cannot be made up', () => {
  expect(() => noticesOf([{ ...library, texts: [] }], own)).toThrow(
    'a: no licence file, and "ISC" is not MIT',
  );
});
