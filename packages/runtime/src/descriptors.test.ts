import { expect, test } from 'vitest';
import { descriptorShare, systemDescriptors } from './descriptors.ts';

test.runIf(process.platform === 'linux')('reads how many files this process may open', () => {
  expect(systemDescriptors()).toBeGreaterThan(32);
});

test.each([
  [150, 1, 112],
  [1_024, 1, 960],
  [1_024, 3, 320],
  [4, 3, 2],
  [Number.POSITIVE_INFINITY, 2, Number.POSITIVE_INFINITY],
])('of %d descriptors each of %d planes may have %d', (limit, planes, share) => {
  expect(descriptorShare(limit, planes)).toBe(share);
});
