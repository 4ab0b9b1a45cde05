import { expect, test } from 'vitest';
import { ManualClock } from '@rollcall/runtime/testing';
import { RefusedTokens } from './refused-tokens.ts';

test('the first leaves a line at once, those of the next second one together', () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const refused = new RefusedTokens(clock, (why, { peerAddress, method, route }, count) => {
    lines.push(`${why} ${peerAddress} ${method} ${route} ${count}`);
  });
  const call = (peerAddress: string) => ({
    peerAddress,
    method: 'PUT',
    route: '/v1/leases/:lease',
  });
  for (let i = 0; i < 5; i++) refused.note('unauthenticated', call(`10.0.0.${i}`));
  refused.note('forbidden', call('10.0.0.9'));
  expect(lines).toEqual([
    'unauthenticated 10.0.0.0 PUT /v1/leases/:lease 1',
    'forbidden 10.0.0.9 PUT /v1/leases/:lease 1',
  ]);
  clock.advance(1_000);
  expect(lines.slice(2)).toEqual(['unauthenticated 10.0.0.4 PUT /v1/leases/:lease 4']);
  clock.advance(10_000);
  expect(lines).toHaveLength(3);
  refused.note('unauthenticated', call('10.0.0.1'));
  expect(lines).toHaveLength(4);
});
