import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PLANTED_BUGS } from './bugs.ts';

/** What every driver of the store is tested by. */
const CASES = 'packages/registry-server/src/testing/conformance/*.ts';
const workspace = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(workspace, file), 'utf8');

test.each(PLANTED_BUGS)('$promise, $what: still fits the code, and its test is there', (bug) => {
  expect(read(bug.file).split(bug.find)).toHaveLength(2);
  expect(bug.replace).not.toBe(bug.find);
  const isShared = bug.test.file.endsWith('store.test.ts');
  const tests = (isShared ? globSync(CASES, { cwd: workspace }) : [bug.test.file])
    .map(read)
    .join('');
  expect(tests).toContain(bug.test.name);
});

test('each promise has one', () => {
  const promises = new Set(PLANTED_BUGS.map(({ promise }) => promise));
  expect([...promises].toSorted()).toEqual(['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8']);
});
