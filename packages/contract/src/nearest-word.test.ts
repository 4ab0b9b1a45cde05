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

// Computing a distance to it would take longer than any test may.
test('a word as long as a file is compared with none', () => {
  expect(nearestWord('x'.repeat(2 ** 28), KNOWN)).toBeUndefined();
});
