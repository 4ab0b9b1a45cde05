import { expect, test } from 'vitest';
import { roll } from './rolling/rolling.ts';

test('instances are replaced under load: no call fails by any way, and none is served twice', async () => {
  const report = await roll({
    calls: 3_000,
    instances: 3,
    concurrency: 8,
    workMs: 5,
    isPlain: false,
  });
  const { failed, doubled, unserved, cutOff } = report;
  expect({ failed, doubled, unserved, cutOff }).toEqual({
    failed: [],
    doubled: [],
    unserved: [],
    cutOff: 0,
  });
  expect(Object.keys(report.calls).toSorted()).toEqual([
    'HTTP/1.1 GET',
    'HTTP/1.1 POST',
    'HTTP/2',
    'WebSocket',
    'gRPC',
  ]);
  expect(report.replaced).toBeGreaterThan(0);
});
