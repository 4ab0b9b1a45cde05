import { expect, test } from 'vitest';
import { nearestWord } from './nearest-word.ts';

const KNOWN = ['services', 'endpoints', 'port', 'ports', 'url', 'maxTries'];

test.each([
  ['serivces', 'services'],
  ['Endpoint', 'endpoints'],
  ['prot', 'port'],
  ['prots', 'ports'],
  ['maxtries', 'maxTries'],
  ['ur', 'url'],
  ['port', 'port'],
  ['x', undefined],
  ['deployments', undefined],
  ['constructor', undefined],
  ['', undefined],
])('the nearest to %j is %j', (word, expected) => {
  expect(nearestWord(word, KNOWN)).toBe(expected);
});

test('a word as long as a file costs nothing', () => {
  const atMs = performance.now();
  expect(nearestWord('x'.repeat(10_000_000), KNOWN)).toBeUndefined();
  expect(performance.now() - atMs).toBeLessThan(1_000);
});
