import { expect, test } from 'vitest';
import { HealthStatus } from './health-status.ts';

const THRESHOLDS = { healthyThreshold: 3, unhealthyThreshold: 2 };

test.each([
  ['', 'initial'],
  ['+', 'healthy'],
  ['-', 'initial'],
  ['--', 'unhealthy'],
  ['-+', 'healthy'],
  ['+-', 'healthy'],
  ['+-+-+-', 'healthy'],
  ['+--', 'unhealthy'],
  ['--++', 'unhealthy'],
  ['--++-++', 'unhealthy'],
  ['--+++', 'healthy'],
  ['--+++-', 'healthy'],
])('after %j a target is %s', (checks, state) => {
  const status = new HealthStatus(THRESHOLDS);
  for (const check of checks) status.record(check === '+', check);
  expect(status.state).toBe(state);
});

test('says when the state changed, and nothing else', () => {
  const status = new HealthStatus(THRESHOLDS);
  const changes = Array.from('+--+++-', (check) => status.record(check === '+', ''));
  expect(changes).toEqual([true, false, true, false, false, true, false]);
});
