import { expect, test } from 'vitest';
import { createSourceRanges } from './source-ranges.ts';

test('addresses inside any of the networks, of either family', () => {
  const admits = createSourceRanges(['10.1.0.0/16', ' 192.0.2.7/32', '2001:db8::/32']);
  expect(['10.1.255.9', '192.0.2.7', '2001:db8::1'].map(admits)).toEqual([true, true, true]);
  expect(['10.2.0.1', '192.0.2.8', '2001:db9::1', ''].map(admits)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('0.0.0.0/0 is everybody, no network and what is none is nobody', () => {
  expect(createSourceRanges(['0.0.0.0/0'])('203.0.113.1')).toBe(true);
  expect(createSourceRanges([])('203.0.113.1')).toBe(false);
  expect(createSourceRanges(['203.0.113.1', '203.0.113.0/33', 'x/8'])('203.0.113.1')).toBe(false);
});
