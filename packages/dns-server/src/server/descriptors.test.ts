import { expect, test } from 'vitest';
import { connectionsWithin, systemDescriptors } from './descriptors.ts';

test.runIf(process.platform === 'linux')('reads how many files this process may open', () => {
  expect(systemDescriptors()).toBeGreaterThan(32);
});

test.each([
  [1_000, 1, 150, 112],
  [1_000, 2, 1_024, 480],
  [1_000, 1, 1_048_576, 1_000],
  [1_000, 3, Number.POSITIVE_INFINITY, 1_000],
  [1_000, 9, 4, 1],
])('of %d wanted on %d addresses with %d files: %d', (wanted, listeners, files, connections) => {
  expect(connectionsWithin(wanted, listeners, files)).toBe(connections);
});
