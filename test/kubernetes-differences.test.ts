import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const ROOT = new URL('..', import.meta.url);
const LIST = readFileSync(new URL('docs/kubernetes-differences.md', ROOT), 'utf8');

/** The numbers of the list, in its order. */
const listed = [...LIST.matchAll(/^\| ([OCN]\d+) \|/gm)].map(([, id = '']) => id);

test('each difference from Kubernetes has a number of its own, in order', () => {
  expect(new Set(listed).size).toBe(listed.length);
  for (const letter of 'OCN') {
    const own = listed.filter((id) => id.startsWith(letter));
    expect(own).toEqual(own.map((_, i) => `${letter}${i + 1}`));
  }
});

test('each difference has a test with its number in its title, and no test another number', () => {
  const tested = globSync('packages/*/src/**/*.test.ts', { cwd: ROOT }).flatMap((file) => {
    const text = readFileSync(new URL(file, ROOT), 'utf8');
    // At the start of a title, after a semicolon in it, or in a row of a table of tests.
    return [...text.matchAll(/(?:[`'"]|; )([OCN]\d+)(?:: |',)/g)].map(([, id = '']) => id);
  });
  expect([...new Set(tested)].toSorted()).toEqual(listed.toSorted());
});
